// The only C header of this library that Swift sees; it brings libbson.
#include <mongoc/mongoc.h>
