// The only C header of this library that Swift sees; it brings libbson.
#include <mongoc/mongoc.h>
#include <stdlib.h>

// Inserts documents that lie one behind the other, each as it is: libmongoc wants an array of its
// own structures, which Swift cannot see. The caller has checked that they are whole.
static inline bool tm_insert_many(
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
