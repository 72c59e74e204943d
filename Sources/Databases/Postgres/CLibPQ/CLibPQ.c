// libpq's functions as far as they are used, loaded with the first one that is called: with its own
// libraries libpq would take a third of the start of every `tidemark wal fetch`, which never calls it.
// Nothing is linked; a prototype that differs from libpq's own header does not compile.
#include "CLibPQ.h"

#include "CPlatform.h"

#define FUNCTIONS(F) \
    F(void, PQclear, (PGresult *res), (res)) \
    F(char *, PQcmdStatus, (PGresult *res), (res)) \
    F(PQconninfoOption *, PQconndefaults, (void), ()) \
    F(PostgresPollingStatusType, PQconnectPoll, (PGconn *conn), (conn)) \
    F(PGconn *, PQconnectStartParams, \
      (const char *const *keywords, const char *const *values, int expand_dbname), \
      (keywords, values, expand_dbname)) \
    F(PQconninfoOption *, PQconninfo, (PGconn *conn), (conn)) \
    F(void, PQconninfoFree, (PQconninfoOption *connOptions), (connOptions)) \
    F(PQconninfoOption *, PQconninfoParse, (const char *conninfo, char **errmsg), \
      (conninfo, errmsg)) \
    F(int, PQconsumeInput, (PGconn *conn), (conn)) \
    F(char *, PQerrorMessage, (const PGconn *conn), (conn)) \
    F(void, PQfinish, (PGconn *conn), (conn)) \
    F(int, PQflush, (PGconn *conn), (conn)) \
    F(void, PQfreemem, (void *ptr), (ptr)) \
    F(int, PQgetCopyData, (PGconn *conn, char **buffer, int async), (conn, buffer, async)) \
    F(PGresult *, PQgetResult, (PGconn *conn), (conn)) \
    F(int, PQgetisnull, (const PGresult *res, int tup_num, int field_num), \
      (res, tup_num, field_num)) \
    F(int, PQgetlength, (const PGresult *res, int tup_num, int field_num), \
      (res, tup_num, field_num)) \
    F(char *, PQgetvalue, (const PGresult *res, int tup_num, int field_num), \
      (res, tup_num, field_num)) \
    F(int, PQgssEncInUse, (PGconn *conn), (conn)) \
    F(char *, PQhost, (const PGconn *conn), (conn)) \
    F(int, PQisBusy, (PGconn *conn), (conn)) \
    F(int, PQnfields, (const PGresult *res), (res)) \
    F(int, PQntuples, (const PGresult *res), (res)) \
    F(const char *, PQparameterStatus, (const PGconn *conn, const char *paramName), \
      (conn, paramName)) \
    F(char *, PQport, (const PGconn *conn), (conn)) \
    F(int, PQputCopyData, (PGconn *conn, const char *buffer, int nbytes), (conn, buffer, nbytes)) \
    F(int, PQputCopyEnd, (PGconn *conn, const char *errormsg), (conn, errormsg)) \
    F(char *, PQresultErrorField, (const PGresult *res, int fieldcode), (res, fieldcode)) \
    F(ExecStatusType, PQresultStatus, (const PGresult *res), (res)) \
    F(int, PQsendQuery, (PGconn *conn, const char *query), (conn, query)) \
    F(int, PQserverVersion, (const PGconn *conn), (conn)) \
    F(PGVerbosity, PQsetErrorVerbosity, (PGconn *conn, PGVerbosity verbosity), (conn, verbosity)) \
    F(PQnoticeReceiver, PQsetNoticeReceiver, (PGconn *conn, PQnoticeReceiver proc, void *arg), \
      (conn, proc, arg)) \
    F(int, PQsetnonblocking, (PGconn *conn, int arg), (conn, arg)) \
    F(int, PQsocket, (const PGconn *conn), (conn)) \
    F(int, PQsslInUse, (PGconn *conn), (conn)) \
    F(void *, PQsslStruct, (PGconn *conn, const char *struct_name), (conn, struct_name)) \
    F(ConnStatusType, PQstatus, (const PGconn *conn), (conn))

static void prepare(void) {}

TM_LOADED_LIBRARY(FUNCTIONS, "libpq.so.5", prepare, tm_libpq_problem)
