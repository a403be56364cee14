// The kernels as a Node-API addon. Everything that comes from JavaScript is checked here; nothing is global but constants, so every worker thread can load it.
#define NAPI_VERSION 8
#include <node_api.h>
#include <string.h>

#include "helpers.h"
#include "operations.h"
#include "pages.h"
#include "residual-digests.h"

// What src/native/addon.ts expects of this file; a change of any function here changes it.
#define ADDON_ABI 5
#define ARGUMENT_LIMIT 6
#ifndef SOURCES_SHA256
#error "compile with scripts/build-native.mjs"
#endif

typedef struct {
  napi_env env;
  napi_value value[ARGUMENT_LIMIT];
  usize count;
  bool ok;
} call;

static void fail(call *c, const char *message) {
  if (c->ok) napi_throw_type_error(c->env, "ERR_INVALID_ARG_VALUE", message);
  c->ok = false;
}

// `more`: so many may follow.
static call open_call(napi_env env, napi_callback_info info, usize expected, usize more) {
  call c = {.env = env, .ok = true, .count = ARGUMENT_LIMIT};
  bool read = napi_get_cb_info(env, info, &c.count, c.value, NULL, NULL) == napi_ok;
  if (!read || (c.count != expected && c.count != expected + more)) fail(&c, "wrong number of arguments");
  return c;
}

static i32 int_at(call *c, i32 index, i32 least, i32 most, const char *what) {
  double value = 0;
  if (c->ok && (napi_get_value_double(c->env, c->value[index], &value) != napi_ok || !(value >= least && value <= most) || value != (i32)value)) fail(c, what);
  return c->ok ? (i32)value : least;
}

static void *buffer_at(call *c, i32 index, usize *bytes, const char *what) {
  void *data = NULL;
  size_t size = 0;
  if (c->ok && napi_get_arraybuffer_info(c->env, c->value[index], &data, &size) != napi_ok) fail(c, what);
  *bytes = size;
  return data;
}

static void *array_at(call *c, i32 index, napi_typedarray_type wanted, usize *length, const char *what) {
  napi_typedarray_type type;
  size_t count = 0;
  void *data = NULL;
  if (c->ok && (napi_get_typedarray_info(c->env, c->value[index], &type, &count, &data, NULL, NULL) != napi_ok || type != wanted)) fail(c, what);
  *length = c->ok ? count : 0;
  return data;
}

static void text_at(call *c, i32 index, char *text, usize size) {
  if (c->ok && napi_get_value_string_utf8(c->env, c->value[index], text, size, NULL) != napi_ok) fail(c, "expected a name");
}

static const level *level_at(call *c, i32 index) {
  char name[16] = "";
  text_at(c, index, name, sizeof name);
  const level *found = c->ok ? find_level(name) : NULL;
  if (found == NULL) fail(c, "expected a level that this processor has");
  return found;
}

static loaded_model *model_at(call *c, i32 index) {
  void *data = NULL;
  if (c->ok && (napi_get_value_external(c->env, c->value[index], &data) != napi_ok || data == NULL || ((loaded_model *)data)->magic != MODEL_MAGIC)) {
    fail(c, "expected a model");
  }
  return data;
}

// prepare(buffer): for weights that are about to be read into it. @returns the bytes to leave out at its beginning so that what follows stands at a multiple of 64.
static napi_value prepare(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 1, 0);
  usize bytes;
  void *data = buffer_at(&c, 0, &bytes, "expected an ArrayBuffer");
  napi_value result = NULL;
  if (!c.ok) return result;
  wish_large_pages(data, bytes);
  napi_create_uint32(env, (u32)(-(uintptr_t)data % 64), &result);
  return result;
}

static void finalize_model(napi_env env, void *data, void *hint) {
  (void)hint;
  loaded_model *model = data;
  stop_helpers(model);
  if (model->weights_reference != NULL) napi_delete_reference(env, model->weights_reference);
  free_model(model);
}

// createModel(level, weights, start, words, threads): the model, undefined when there is no memory for its workspace or no thread to be had.
static napi_value create_model(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 5, 0);
  const level *level = level_at(&c, 0);
  usize size, count;
  const i8 *base = buffer_at(&c, 1, &size, "expected weights in an ArrayBuffer");
  usize start = (usize)int_at(&c, 2, 0, 63, "expected a start from 0 to 63");
  const i64 *words = array_at(&c, 3, napi_bigint64_array, &count, "expected words in a BigInt64Array");
  i32 threads = int_at(&c, 4, 1, THREAD_LIMIT, "expected 1 to 64 threads");
  if (c.ok && (size < start || (uintptr_t)(base + start) % 64 != 0)) fail(&c, "expected weights at a multiple of 64 bytes");
  if (!c.ok) return NULL;
  const char *fault = NULL;
  loaded_model *model = load_model(level, base + start, size - start, words, count, threads, &fault);
  if (fault != NULL) {
    fail(&c, fault);
    return NULL;
  }
  if (model == NULL) return NULL;
  if (!start_helpers(model)) {
    free_model(model);
    return NULL;
  }
  napi_value result;
  napi_ref reference;
  if (napi_create_reference(env, c.value[1], 1, &reference) != napi_ok) {
    stop_helpers(model);
    free_model(model);
    return NULL;
  }
  model->weights_reference = reference;
  if (napi_create_external(env, model, finalize_model, NULL, &result) != napi_ok) {
    finalize_model(env, model, NULL);
    return NULL;
  }
  return result;
}

// The rows of a step: `table` has (id, index of its cache, capacity, position) for each; every one must stay within its cache.
static bool read_rows(call *c, const loaded_model *model, const i32 *table, usize count, row *rows) {
  for (usize t = 0; c->ok && t < count; t++) {
    const i32 *of = table + 4 * t;
    napi_value cache;
    void *data = NULL;
    size_t bytes = 0;
    if (napi_get_element(c->env, c->value[2], (u32)of[1], &cache) != napi_ok || napi_get_arraybuffer_info(c->env, cache, &data, &bytes) != napi_ok) {
      fail(c, "expected a cache in an ArrayBuffer for every row");
      return false;
    }
    rows[t] = (row){.cache = data, .id = of[0], .capacity = of[2], .position = of[3]};
    if (of[0] < 0 || of[0] >= model->vocabulary) fail(c, "expected ids within the vocabulary");
    else if (of[2] < 1 || of[2] > model->context) fail(c, "expected a capacity within the context");
    else if (of[3] < 0 || of[3] >= of[2]) fail(c, "expected a position within the capacity");
    else if (bytes < cache_bytes(&model->m, of[2])) fail(c, "expected a cache of the capacity's size");
  }
  return c->ok;
}

static bool is_lost(const loaded_model *model) { return __atomic_load_n(&model->team.lost, __ATOMIC_ACQUIRE) != 0; }

// The helper that shall run alone what is asked for: (model it belongs to, its index from 1) at `index`. NULL without these arguments.
static worker *helper_at(call *c, u32 index) {
  if (!c->ok || c->count <= index) return NULL;
  loaded_model *of = model_at(c, (i32)index);
  i32 helper = int_at(c, (i32)index + 1, 1, c->ok ? of->helpers : 1, "expected a helper of the model");
  return c->ok ? of->workers + helper : NULL;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

// forward(model, rows, caches, committed, [helper's model, helper]): false when a thread was lost.
static napi_value forward(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 4, 2);
  loaded_model *model = model_at(&c, 0);
  usize words, committed_length;
  row rows[CHUNK_LIMIT];
  const i32 *table = array_at(&c, 1, napi_int32_array, &words, "expected rows in an Int32Array");
  i32 *committed = array_at(&c, 3, napi_int32_array, &committed_length, "expected an Int32Array for commit points");
  usize count = words / 4;
  if (c.ok && (words % 4 != 0 || count < 1 || count > (usize)model->chunk)) fail(&c, "expected four words for every row of one chunk");
  if (c.ok && committed_length < count * (usize)model->m.points * (usize)model->m.width) fail(&c, "expected room for all commit points");
  worker *helper = helper_at(&c, 4);
  if (!c.ok || !read_rows(&c, model, table, count, rows)) return NULL;
  model->ready = 0;
  if (is_lost(model)) return boolean(env, false);
  model->m.w.committed = committed;
  i32 lost = helper != NULL ? model->kernels->run_apart(helper, FORWARD, model->workers, &model->m, rows, (i32)count)
                            : model->kernels->forward(&model->m, model->workers, rows, (i32)count);
  if (lost != 0) abandon_helpers(helper != NULL ? model_at(&c, 4) : model);
  model->m.w.committed = NULL;
  model->ready = lost != 0 ? 0 : (i32)count;
  return boolean(env, lost == 0);
}

// logits(model, wanted, logits, [helper's model, helper]): false when a thread was lost.
static napi_value logits(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 3, 2);
  loaded_model *model = model_at(&c, 0);
  usize count, length;
  const i32 *wanted = array_at(&c, 1, napi_int32_array, &count, "expected rows in an Int32Array");
  i32 *to = array_at(&c, 2, napi_int32_array, &length, "expected an Int32Array for logits");
  if (c.ok && (count < 1 || count > (usize)model->logit_rows)) fail(&c, "expected a count within the logit rows");
  for (usize i = 0; c.ok && i < count; i++) {
    if (wanted[i] < 0 || wanted[i] >= model->ready) fail(&c, "expected rows of the last chunk");
  }
  if (c.ok && length < count * (usize)model->m.head.rows) fail(&c, "expected room for all logits");
  worker *helper = helper_at(&c, 3);
  if (!c.ok) return NULL;
  if (is_lost(model)) return boolean(env, false);
  model->m.w.logits = to;
  i32 lost = helper != NULL ? model->kernels->run_apart(helper, LOGITS, model->workers, &model->m, wanted, (i32)count)
                            : model->kernels->logits(&model->m, model->workers, wanted, (i32)count);
  if (lost != 0) abandon_helpers(helper != NULL ? model_at(&c, 3) : model);
  model->m.w.logits = NULL;
  return boolean(env, lost == 0);
}

#ifdef HAVE_RESIDUAL_DIGESTS
// residualDigests(values, width, count, digests): those of the first `count` vectors in `values`.
static napi_value residual_digests(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 4, 0);
  usize length, room;
  const i32 *values = array_at(&c, 0, napi_int32_array, &length, "expected residual vectors in an Int32Array");
  usize width = (usize)int_at(&c, 1, 1, WIDTH_LIMIT, "expected a width from 1 to 65536"), count = (usize)int_at(&c, 2, 0, INT32_LIMIT, "expected a count");
  uint8_t *digests = array_at(&c, 3, napi_uint8_array, &room, "expected an Uint8Array for digests");
  if (c.ok && (length / width < count || room / DIGEST < count)) fail(&c, "expected so many vectors and room for so many digests");
  for (usize i = 0; c.ok && i < count; i++) residual_digest(values + i * width, width, digests + i * DIGEST);
  return NULL;
}

// Only where this processor has the instructions.
static bool add_digests(napi_env env, napi_value exports) {
  napi_value function;
  if (!has_sha()) return true;
  return napi_create_function(env, "residualDigests", NAPI_AUTO_LENGTH, residual_digests, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, "residualDigests", function) == napi_ok;
}
#else
static bool add_digests(napi_env env, napi_value exports) { return (void)env, (void)exports, true; }
#endif

// close(model): ends its helpers.
static napi_value close_model(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 1, 0);
  loaded_model *model = model_at(&c, 0);
  if (c.ok) stop_helpers(model);
  return NULL;
}

// operation(level, name, memory, arguments): the result, 0n for operations without one.
static napi_value operation(napi_env env, napi_callback_info info) {
  call c = open_call(env, info, 4, 0);
  const level *level = level_at(&c, 0);
  char name[32] = "";
  text_at(&c, 1, name, sizeof name);
  operation_call o = {0};
  usize count;
  o.base = buffer_at(&c, 2, &o.size, "expected memory in an ArrayBuffer");
  o.arguments = array_at(&c, 3, napi_bigint64_array, &count, "expected arguments in a BigInt64Array");
  if (!c.ok) return NULL;
  u64 value;
  static const char *const faults[] = {NULL, "unknown operation", "wrong number of arguments", "argument outside the memory", "no memory"};
  operation_status status = run_operation(level->kernels, name, &o, count, &value);
  if (status != DONE) {
    fail(&c, faults[status]);
    return NULL;
  }
  napi_value result = NULL;
  napi_create_bigint_uint64(env, value, &result);
  return result;
}

static bool add_levels(napi_env env, napi_value exports) {
  napi_value list, name;
  u32 length = 0;
  if (napi_create_array(env, &list) != napi_ok) return false;
  for (i32 i = 0; i < LEVEL_COUNT; i++) {
    if (!levels[i].present()) continue;
    if (napi_create_string_utf8(env, levels[i].name, NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
    if (napi_set_element(env, list, length++, name) != napi_ok) return false;
  }
  return napi_set_named_property(env, exports, "levels", list) == napi_ok;
}

static bool add_constants(napi_env env, napi_value exports) {
  napi_value abi, sources;
  return napi_create_uint32(env, ADDON_ABI, &abi) == napi_ok && napi_set_named_property(env, exports, "abi", abi) == napi_ok &&
         napi_create_string_utf8(env, SOURCES_SHA256, NAPI_AUTO_LENGTH, &sources) == napi_ok &&
         napi_set_named_property(env, exports, "sources", sources) == napi_ok;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback run;
  } functions[] = {
    {"prepare", prepare}, {"createModel", create_model}, {"forward", forward}, {"logits", logits}, {"close", close_model}, {"operation", operation},
  };
  for (usize i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].run, NULL, &function) != napi_ok) return NULL;
    if (napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) return NULL;
  }
  return add_levels(env, exports) && add_constants(env, exports) && add_digests(env, exports) ? exports : NULL;
}
