#include "CPlatform.h"

// glibc hands the process's arguments to constructors; Swift's own copy is not what ps shows.
static int kept_count;
static char **kept_arguments;

__attribute__((constructor)) static void keep(int count, char **arguments) {
    kept_count = count;
    kept_arguments = arguments;
}

char *tm_argument(int index) { return index < kept_count ? kept_arguments[index] : 0; }
