#include "words.h"

#include <stdio.h>

static int failed;

static void check(const char *shown, const char *text, int expected)
{
    int counted = count_words(text);

    if (counted != expected) {
        printf("FAIL: count_words(%s) is %d, expected %d\n", shown, counted, expected);
        failed++;
    }
}

int main(void)
{
    check("\"\"", "", 0);
    check("\"one\"", "one", 1);
    check("\"two words\"", "two words", 2);
    check("\"  far   apart  \"", "  far   apart  ", 2);
    check("\"tabs\\tand\\nlines\"", "tabs\tand\nlines", 3);

    if (failed > 0) {
        printf("%d of 5 checks failed\n", failed);
        return 1;
    }
    puts("all 5 checks pass");
    return 0;
}
