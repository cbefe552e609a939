#ifndef WORDS_H
#define WORDS_H

/* How many words a text has. Words are parted by blanks, tabs and line breaks, any number of them. */
int count_words(const char *text);

#endif
