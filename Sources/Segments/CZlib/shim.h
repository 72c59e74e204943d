// The only C header of this library that Swift sees.
#include <zlib.h>
