// The functions of libmongoc and libbson as far as they are used, loaded with the first one that is
// called: with their own libraries they would take a third of the start of every command, whatever
// database it is for. Nothing is linked.
#include <mongoc/mongoc.h>

#define TIDEMARK_WITH_MONGOC
#include "CMongoC.h"

#include "CPlatform.h"

// What CMongoC.h says of types; their functions are declared twice, which tells a difference.
_Static_assert(sizeof(bson_t) == 128 && offsetof(bson_t, padding) == 8, "bson_t");
_Static_assert(sizeof(bson_error_t) == 512 && offsetof(bson_error_t, code) == 4, "bson_error_t");
_Static_assert(offsetof(bson_error_t, message) == 8, "bson_error_t");
_Static_assert(
    sizeof(mongoc_host_list_t) == 568 && offsetof(mongoc_host_list_t, host_and_port) == 264 &&
        offsetof(mongoc_host_list_t, port) == 526,
    "mongoc_host_list_t");
_Static_assert(
    MONGOC_READ_PRIMARY == 1 && MONGOC_READ_SECONDARY_PREFERRED == 6, "mongoc_read_mode_t");
_Static_assert(
    MONGOC_ERROR_STREAM == 2 && MONGOC_ERROR_PROTOCOL == 3 && MONGOC_ERROR_QUERY == 5 &&
        MONGOC_ERROR_SERVER_SELECTION == 15 && MONGOC_ERROR_WRITE_CONCERN == 16 &&
        MONGOC_ERROR_SERVER == 17,
    "mongoc_error_domain_t");

static void prepare(void) {
    // libmongoc makes its performance counters when it is loaded: a file /dev/shm/mongoc-PID, which
    // stays when the process is killed, and a warning on standard error where /dev/shm cannot be
    // written. Nobody reads them. Not earlier: Swift finds the arguments of main by the place of the
    // environment, which the first change moves. It leaves the old one to whoever is reading it.
    setenv("MONGOC_DISABLE_SHM", "1", 1);
}

TM_LOADED_LIBRARY(TM_MONGOC_FUNCTIONS, "libmongoc-1.0.so.0", prepare, tm_mongoc_problem)

bool tm_insert_many(
    mongoc_collection_t *collection, const uint8_t *bytes, size_t count, const bson_t *options,
    bson_t *reply, bson_error_t *error)
{
    bson_t *documents = aligned_alloc(128, count * sizeof(bson_t));
    const bson_t **places = malloc(count * sizeof(bson_t *));
    bool done = documents != NULL && places != NULL;
    if (!done) {
        abort();
    }
    for (size_t number = 0; number < count; number++) {
        const size_t length = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 |
                              (size_t)bytes[3] << 24;
        done = done && bson_init_static(&documents[number], bytes, length);
        places[number] = &documents[number];
        bytes += length;
    }
    done = done && mongoc_collection_insert_many(
        collection, places, count, options, reply, error);
    free(places);
    free(documents);
    return done;
}
