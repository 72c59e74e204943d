// The only C header of this library that Swift sees.
#include <lz4.h>
#include <lz4hc.h>
#include <lz4frame.h>
