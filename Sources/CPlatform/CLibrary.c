#include "CPlatform.h"

#include <dlfcn.h>
#include <string.h>

const char *tm_load_functions(
    const char *library, const struct tm_function *functions, size_t count)
{
    // Global: what it brings, such as OpenSSL, is looked for by name elsewhere.
    void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    for (size_t number = 0; handle && number < count; number++) {
        *functions[number].place = dlsym(handle, functions[number].name);
        if (!*functions[number].place) handle = NULL;
    }
    if (handle) return NULL;
    const char *why = strdup(dlerror());
    return why ? why : "there is no memory";
}
