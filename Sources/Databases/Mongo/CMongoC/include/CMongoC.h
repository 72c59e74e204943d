// The only C header of these libraries that Swift sees: what is used of libmongoc and libbson 1.23, in
// their own words. CMongoC.c reads their headers too, and does not compile where these differ.
#ifndef TIDEMARK_CMONGOC_H
#define TIDEMARK_CMONGOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef TIDEMARK_WITH_MONGOC

typedef struct _bson_t {
    uint32_t flags;
    uint32_t len;
    uint8_t padding[120];
} bson_t __attribute__((aligned(128)));

typedef struct _bson_error_t {
    uint32_t domain;
    uint32_t code;
    char message[504];
} bson_error_t __attribute__((aligned(8)));

typedef struct _mongoc_host_list_t mongoc_host_list_t;
struct _mongoc_host_list_t {
    mongoc_host_list_t *next;
    char host[256];
    char host_and_port[262];
    uint16_t port;
    int family;
    void *padding[4];
};

typedef enum {
    MONGOC_READ_PRIMARY = 1,
    MONGOC_READ_SECONDARY_PREFERRED = 6,
} mongoc_read_mode_t;

typedef enum {
    MONGOC_ERROR_STREAM = 2,
    MONGOC_ERROR_PROTOCOL = 3,
    MONGOC_ERROR_QUERY = 5,
    MONGOC_ERROR_SERVER_SELECTION = 15,
    MONGOC_ERROR_WRITE_CONCERN = 16,
    MONGOC_ERROR_SERVER = 17,
} mongoc_error_domain_t;

typedef void (*mongoc_log_func_t)(int, const char *, const char *, void *);
typedef struct _mongoc_uri_t mongoc_uri_t;
typedef struct _mongoc_client_t mongoc_client_t;
typedef struct _mongoc_server_description_t mongoc_server_description_t;
typedef struct _mongoc_read_prefs_t mongoc_read_prefs_t;
typedef struct _mongoc_collection_t mongoc_collection_t;
typedef struct _mongoc_bulk_operation_t mongoc_bulk_operation_t;

#endif

// Result, name, parameters, and the parameters handed on.
#define TM_MONGOC_FUNCTIONS(F) \
    F(void, bson_destroy, (bson_t *bson), (bson)) \
    F(bson_t *, bson_new, (void), ()) \
    F(const uint8_t *, bson_get_data, (const bson_t *bson), (bson)) \
    F(bson_t *, bson_new_from_json, (const uint8_t *data, ssize_t len, bson_error_t *error), \
      (data, len, error)) \
    F(bson_t *, bson_new_from_data, (const uint8_t *data, size_t length), (data, length)) \
    F(void, bson_free, (void *mem), (mem)) \
    F(char *, bson_as_canonical_extended_json, (const bson_t *bson, size_t *length), \
      (bson, length)) \
    F(bool, bson_init_static, (bson_t *b, const uint8_t *data, size_t length), (b, data, length)) \
    F(void, mongoc_init, (void), ()) \
    F(void, mongoc_log_set_handler, (mongoc_log_func_t log_func, void *user_data), \
      (log_func, user_data)) \
    F(mongoc_uri_t *, mongoc_uri_new_with_error, (const char *uri_string, bson_error_t *error), \
      (uri_string, error)) \
    F(void, mongoc_uri_destroy, (mongoc_uri_t *uri), (uri)) \
    F(bool, mongoc_uri_set_option_as_int32, \
      (mongoc_uri_t *uri, const char *option, int32_t value), \
      (uri, option, value)) \
    F(bool, mongoc_uri_get_option_as_bool, \
      (const mongoc_uri_t *uri, const char *option, bool fallback), (uri, option, fallback)) \
    F(bool, mongoc_uri_has_option, (const mongoc_uri_t *uri, const char *key), (uri, key)) \
    F(const char *, mongoc_uri_get_username, (const mongoc_uri_t *uri), (uri)) \
    F(const char *, mongoc_uri_get_srv_hostname, (const mongoc_uri_t *uri), (uri)) \
    F(const char *, mongoc_uri_get_replica_set, (const mongoc_uri_t *uri), (uri)) \
    F(const mongoc_host_list_t *, mongoc_uri_get_hosts, (const mongoc_uri_t *uri), (uri)) \
    F(mongoc_client_t *, mongoc_client_new_from_uri_with_error, \
      (const mongoc_uri_t *uri, bson_error_t *error), \
      (uri, error)) \
    F(void, mongoc_client_destroy, (mongoc_client_t *client), (client)) \
    F(bool, mongoc_client_set_error_api, (mongoc_client_t *client, int32_t version), \
      (client, version)) \
    F(bool, mongoc_client_set_appname, (mongoc_client_t *client, const char *appname), \
      (client, appname)) \
    F(mongoc_server_description_t *, mongoc_client_select_server, \
      (mongoc_client_t *client, bool for_writes, const mongoc_read_prefs_t *prefs, \
       bson_error_t *error), \
      (client, for_writes, prefs, error)) \
    F(mongoc_server_description_t *, mongoc_client_get_server_description, \
      (mongoc_client_t *client, uint32_t server_id), \
      (client, server_id)) \
    F(mongoc_server_description_t **, mongoc_client_get_server_descriptions, \
      (const mongoc_client_t *client, size_t *n), \
      (client, n)) \
    F(bool, mongoc_client_command_simple_with_server_id, \
      (mongoc_client_t *client, const char *db_name, const bson_t *command, \
       const mongoc_read_prefs_t *read_prefs, uint32_t server_id, bson_t *reply, \
       bson_error_t *error), \
      (client, db_name, command, read_prefs, server_id, reply, error)) \
    F(mongoc_collection_t *, mongoc_client_get_collection, \
      (mongoc_client_t *client, const char *db, const char *collection), \
      (client, db, collection)) \
    F(const char *, mongoc_server_description_type, \
      (const mongoc_server_description_t *description), (description)) \
    F(uint32_t, mongoc_server_description_id, (const mongoc_server_description_t *description), \
      (description)) \
    F(const bson_t *, mongoc_server_description_hello_response, \
      (const mongoc_server_description_t *description), (description)) \
    F(mongoc_host_list_t *, mongoc_server_description_host, \
      (const mongoc_server_description_t *description), \
      (description)) \
    F(void, mongoc_server_description_destroy, (mongoc_server_description_t *description), \
      (description)) \
    F(void, mongoc_server_descriptions_destroy_all, (mongoc_server_description_t **sds, size_t n), \
      (sds, n)) \
    F(mongoc_read_prefs_t *, mongoc_read_prefs_new, (mongoc_read_mode_t read_mode), (read_mode)) \
    F(void, mongoc_read_prefs_destroy, (mongoc_read_prefs_t *read_prefs), (read_prefs)) \
    F(void, mongoc_collection_destroy, (mongoc_collection_t *collection), (collection)) \
    F(bool, mongoc_collection_insert_many, \
      (mongoc_collection_t *collection, const bson_t **documents, size_t n_documents, \
       const bson_t *opts, bson_t *reply, bson_error_t *error), \
      (collection, documents, n_documents, opts, reply, error)) \
    F(mongoc_bulk_operation_t *, mongoc_collection_create_bulk_operation_with_opts, \
      (mongoc_collection_t *collection, const bson_t *opts), \
      (collection, opts)) \
    F(void, mongoc_bulk_operation_set_bypass_document_validation, \
      (mongoc_bulk_operation_t *bulk, bool bypass), \
      (bulk, bypass)) \
    F(bool, mongoc_bulk_operation_replace_one_with_opts, \
      (mongoc_bulk_operation_t *bulk, const bson_t *selector, const bson_t *document, \
       const bson_t *opts, bson_error_t *error), \
      (bulk, selector, document, opts, error)) \
    F(uint32_t, mongoc_bulk_operation_execute, \
      (mongoc_bulk_operation_t *bulk, bson_t *reply, bson_error_t *error), \
      (bulk, reply, error)) \
    F(void, mongoc_bulk_operation_destroy, (mongoc_bulk_operation_t *bulk), (bulk))

#define TM_DECLARE(result, name, parameters, arguments) result name parameters;
TM_MONGOC_FUNCTIONS(TM_DECLARE)
#undef TM_DECLARE

/// Why libmongoc cannot be used, to be asked before its first function is called; NULL when it can.
const char *tm_mongoc_problem(void);

/// Inserts documents that lie one behind the other, each as it is: libmongoc wants an array of its
/// own structures, which Swift cannot see. The caller has checked that they are whole.
bool tm_insert_many(
    mongoc_collection_t *collection, const uint8_t *bytes, size_t count, const bson_t *options,
    bson_t *reply, bson_error_t *error);

#endif
