#include "words.h"

int count_words(const char *text)
{
    int words = 1;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c == ' ')
            words++;
    }
    return words;
}
