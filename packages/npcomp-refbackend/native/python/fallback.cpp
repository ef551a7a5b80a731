// An op runs through libtorch's stable C interface, where every argument is one 64-bit word by the op's schema. Ops
// with arguments that this interface lacks (Scalar) are called as Python functions.
#include "fallback.h"

#include "dtype.h"
#include "fallback_plan.h"
#include "torch_bridge.h"

#include <cstring>
#include <list>

namespace refrt {
namespace {

struct Range {
  const char *begin, *end;
};

/// One run of an op.
class Run {
public:
  Run(const Torch &torch, refrt_ctx &ctx, Op &op, const int64_t *args, int64_t *results)
      : torch(torch), ctx(ctx), op(op), firstArg(args), nextArg(args), nextResult(results) {}

  bool native() {
    std::vector<uint64_t> stack(std::max(op.nativeArguments.size(), op.results.size()));
    for (size_t i = 0; i < op.nativeArguments.size(); ++i)
      stack[i] = encode(op.nativeArguments[i]);
    if (torch.callDispatcher(op.name.c_str(), op.overload.c_str(), stack.data(), torch.abiVersion())) {
      nextArg = firstArg;
      return python(); // raises the same again, as the exception that it is
    }
    bool fine = true;
    for (size_t i = 0; i < op.results.size(); ++i)
      fine = decode(op.results[i], stack[i]) && fine;
    return fine;
  }

  bool python() {
    nb::gil_scoped_acquire lock;
    try {
      nb::list arguments;
      for (const Spec &spec : op.arguments)
        arguments.append(object(spec));
      nb::object result = op.function(*arguments);
      if (op.results.size() == 1)
        return accept(op.results[0], result);
      bool fine = nb::len(result) == op.results.size() || fail("RuntimeError", "returned another number of values");
      for (size_t i = 0; fine && i < op.results.size(); ++i)
        fine = accept(op.results[i], result[i]);
      return fine;
    } catch (nb::python_error &error) {
      return fail(nb::cast<std::string>(error.type().attr("__name__")).c_str(), textOf(error.value()));
    }
  }

private:
  const Torch &torch;
  refrt_ctx &ctx;
  Op &op;
  const int64_t *firstArg, *nextArg;
  int64_t *nextResult;
  std::vector<Range> inputs, outputs;

  bool fail(const char *kind, const std::string &text) {
    ctx.failure = {kind, op.label + ": " + text + (op.location.empty() ? "" : "\n  at " + op.location)};
    return false;
  }

  AtenHandle tensorArgument(const Spec &spec) {
    auto *t = reinterpret_cast<refrt_tensor *>(*nextArg++);
    const char *data = static_cast<char *>(t->data);
    inputs.push_back({data, data + t->numel * elementSize(t->dtype)});
    addOwner(t);
    AtenHandle handle = giveAten(torch, t, spec.dtype < 0 ? t->dtype : spec.dtype);
    if (!handle)
      throw std::bad_alloc();
    return handle;
  }

  uint64_t encode(const Spec &spec) {
    switch (spec.kind) {
    case Spec::TensorSlot:
      return reinterpret_cast<uint64_t>(tensorArgument(spec));
    case Spec::IntSlot:
      if (spec.asFloat) {
        double value = double(*nextArg++);
        uint64_t word;
        memcpy(&word, &value, sizeof word);
        return word;
      }
      [[fallthrough]];
    case Spec::FloatSlot:
      return uint64_t(*nextArg++);
    case Spec::BoolSlot:
      return uint64_t(*nextArg++ & 1);
    case Spec::Some: {
      uint64_t *cell = nullptr, word = encode(spec.items[0]);
      require(torch.newOptional(&cell));
      *cell = word;
      return reinterpret_cast<uint64_t>(cell);
    }
    case Spec::List: {
      void *list = nullptr;
      require(torch.newList(spec.items.size(), &list));
      for (const Spec &item : spec.items)
        require(torch.listPush(list, encode(item)));
      return reinterpret_cast<uint64_t>(list);
    }
    case Spec::Text: {
      void *text = nullptr;
      require(torch.newString(spec.text.data(), spec.text.size(), &text));
      return reinterpret_cast<uint64_t>(text);
    }
    default:
      return spec.word;
    }
  }

  static void require(int32_t status) {
    if (status)
      throw std::bad_alloc();
  }

  nb::object object(const Spec &spec) {
    switch (spec.kind) {
    case Spec::TensorSlot: {
      AtenHandle handle = tensorArgument(spec);
      PyObject *tensor = torch.wrap(handle);
      torch.deleteHandle(handle);
      if (!tensor)
        throw nb::python_error();
      return nb::steal(tensor);
    }
    case Spec::IntSlot:
      return spec.asFloat ? nb::object(nb::float_(double(*nextArg++))) : nb::object(nb::int_(*nextArg++));
    case Spec::FloatSlot: {
      double value;
      memcpy(&value, nextArg++, sizeof value);
      return nb::float_(value);
    }
    case Spec::BoolSlot:
      return nb::bool_(*nextArg++ & 1);
    case Spec::Some:
      return object(spec.items[0]);
    case Spec::List: {
      nb::list items;
      for (const Spec &item : spec.items)
        items.append(object(item));
      return items;
    }
    default:
      return spec.object.is_valid() ? spec.object : nb::none();
    }
  }

  bool decode(const Expected &expected, uint64_t word) {
    if (expected.kind == Expected::Tensor)
      return adopt(expected, reinterpret_cast<AtenHandle>(word));
    if (expected.kind == Expected::List)
      return decodeList(expected, reinterpret_cast<void *>(word));
    if (expected.kind != Expected::None)
      *nextResult++ = expected.kind == Expected::Bool ? int64_t(word & 1) : int64_t(word);
    return true;
  }

  bool decodeList(const Expected &expected, void *list) {
    size_t size = 0;
    bool fine = torch.listSize(list, &size) == 0;
    if (fine && size != expected.items.size())
      fine = fail("RuntimeError", "returned a list of " + std::to_string(size) + " values and the program expects " +
                                      std::to_string(expected.items.size()));
    for (size_t i = 0; i < size; ++i) {
      uint64_t word = 0;
      torch.listItem(list, i, &word);
      if (i < expected.items.size() && fine)
        fine = decode(expected.items[i], word);
      else if (!expected.items.empty() && expected.items[0].kind == Expected::Tensor)
        torch.deleteHandle(reinterpret_cast<AtenHandle>(word));
    }
    torch.deleteList(list);
    return fine;
  }

  bool accept(const Expected &expected, nb::handle value) {
    if (expected.kind == Expected::Tensor) {
      AtenHandle handle = nullptr;
      if (!isTorchTensor(torch, value.ptr()) || torch.newHandle(atenOf(torch, value.ptr()), &handle))
        return fail("RuntimeError", "returned a " + typeNameOf(value.ptr()) + " and the program expects a tensor");
      return adopt(expected, handle);
    }
    if (expected.kind == Expected::List) {
      if (nb::len(value) != expected.items.size())
        return fail("RuntimeError", "returned another number of values than the program expects");
      for (size_t i = 0; i < expected.items.size(); ++i)
        if (!accept(expected.items[i], value[i]))
          return false;
    } else if (expected.kind == Expected::Float) {
      double number = nb::cast<double>(value);
      memcpy(nextResult++, &number, sizeof number);
    } else if (expected.kind != Expected::None) {
      *nextResult++ = expected.kind == Expected::Bool ? nb::cast<bool>(value) : nb::cast<int64_t>(value);
    }
    return true;
  }

  /// The tensor with a lazy conjugation or negation carried out. Takes over `handle`; null when torch refuses.
  AtenHandle resolved(AtenHandle handle) {
    for (const char *name : {"aten::resolve_conj", "aten::resolve_neg"}) {
      uint64_t word = reinterpret_cast<uint64_t>(handle);
      if (torch.callDispatcher(name, "", &word, torch.abiVersion()))
        return nullptr;
      handle = reinterpret_cast<AtenHandle>(word);
    }
    return handle;
  }

  /// Takes over a tensor that the op returned, as a handle of the running call.
  bool adopt(const Expected &expected, AtenHandle handle) {
    if (!isPlain(torch, handle) && !(handle = resolved(handle)))
      return fail("RuntimeError", torch.lastError());
    Incoming in;
    int64_t *sizes = nullptr, *strides = nullptr, storage = 0;
    bool known = isPlain(torch, handle) && !torch.getDtype(handle, &in.dtype) && !torch.getDim(handle, &in.rank) &&
                 !torch.getSizes(handle, &sizes) && !torch.getStrides(handle, &strides) &&
                 !torch.getData(handle, &in.data) && !torch.getStorageSize(handle, &storage);
    in.sizes = sizes;
    in.strides = strides;
    refrt_tensor *t = known && check(expected, in) ? toHandle(in, handle, storage) : nullptr;
    if (!t) {
      torch.deleteHandle(handle);
      return !ctx.failure.kind.empty() ? false
             : known                   ? fail("MemoryError", "no memory for a result")
                                       : fail("RuntimeError", "returned a tensor without plain CPU memory");
    }
    link(&ctx, t);
    *nextResult++ = reinterpret_cast<int64_t>(t);
    return true;
  }

  bool check(const Expected &expected, const Incoming &in) {
    bool fits = (expected.dtype < 0 || in.dtype == expected.dtype) && elementSize(in.dtype);
    fits = fits && (!expected.ranked || in.rank == int64_t(expected.dims.size()));
    for (size_t d = 0; fits && d < expected.dims.size(); ++d)
      fits = expected.dims[d] < 0 || expected.dims[d] == in.sizes[d];
    if (fits)
      return true;
    std::string wanted = dtypeName(expected.dtype) + "[";
    for (size_t d = 0; d < expected.dims.size(); ++d)
      wanted += (d ? ", " : "") + (expected.dims[d] < 0 ? "?" : std::to_string(expected.dims[d]));
    return fail("RuntimeError", "returned " + describeIncoming(in) + " and the compiler expected " + wanted +
                                    "]. do: report this op's inference");
  }

  /// The tensor's own memory when nobody else can reach it, else a copy. Takes over `handle` unless it returns null.
  refrt_tensor *toHandle(const Incoming &in, AtenHandle handle, int64_t storage) {
    int64_t numel = countElements(in.rank, in.sizes), bytes = numel * elementSize(in.dtype);
    refrt_tensor *t = newHandle(Kind::Foreign, in.dtype, in.rank, in.sizes, numel);
    if (!t)
      return nullptr;
    t->data = in.data;
    memcpy(stridesOf(t), in.strides, sizeof(int64_t) * size_t(in.rank));
    const char *data = static_cast<char *>(in.data);
    Range range{data, data + bytes};
    if (numel && isDense(t) && storage == bytes && !overlaps(inputs, range) && !overlaps(outputs, range)) {
      outputs.push_back(range);
      denseStrides(t->rank, sizesOf(t), stridesOf(t));
      t->owner = handle;
      t->drop = endForeign;
      return t;
    }
    refrt_tensor *copy = copyTensor(t);
    freeHandle(t);
    if (copy)
      torch.deleteHandle(handle);
    return copy;
  }

  static bool overlaps(const std::vector<Range> &ranges, const Range &range) {
    for (const Range &other : ranges)
      if (range.begin < other.end && other.begin < range.end)
        return true;
    return false;
  }

  static void endForeign(refrt_tensor *t) {
    AtenHandle handle = static_cast<AtenHandle>(t->owner);
    freeHandle(t);
    if (const Torch *torch = torchIfLoaded())
      torch->deleteHandle(handle);
  }
};

struct Fallbacks : FallbackRunner {
  const Torch &torch;
  std::list<Op> ops; // an Op cannot move
  std::vector<Op *> byIndex;

  explicit Fallbacks(const Torch &torch) : torch(torch) {}

  bool run(refrt_ctx &ctx, int64_t index, int64_t nargs, const int64_t *args, int64_t nresults,
           int64_t *results) noexcept override {
    if (index < 0 || size_t(index) >= byIndex.size()) {
      ctx.failure = {"RuntimeError", "the program runs op " + std::to_string(index) + ", which it does not list"};
      return false;
    }
    Op &op = *byIndex[size_t(index)];
    if (size_t(nargs) != op.argumentSlots || size_t(nresults) != op.resultSlots) {
      ctx.failure = {"RuntimeError", op.label + ": the program passes " + std::to_string(nargs) + " values and takes " +
                                         std::to_string(nresults) + ", its tables say " +
                                         std::to_string(op.argumentSlots) + " and " + std::to_string(op.resultSlots)};
      return false;
    }
    op.count.fetch_add(1, std::memory_order_relaxed);
    Run run(torch, ctx, op, args, results);
    try {
      return op.isNative ? run.native() : run.python();
    } catch (const std::bad_alloc &) {
      ctx.failure = {"MemoryError", op.label + ": no memory for an argument"};
    } catch (const std::exception &problem) {
      ctx.failure = {"RuntimeError", op.label + ": " + problem.what()};
    }
    return false;
  }
};

} // namespace

std::shared_ptr<FallbackRunner> makeFallbacks(nb::list plans) {
  const Torch *torch = torchIfLoaded();
  if (!torch)
    throw nb::type_error(("the program runs ops through torch, which offers no way in: " + torchProblem() +
                          ". do: install the torch version that npcomp-refbackend names")
                             .c_str());
  auto runner = std::make_shared<Fallbacks>(*torch);
  for (nb::handle plan : plans) {
    Op &op = runner->ops.emplace_back();
    runner->byIndex.push_back(&op);
    readPlan(plan, op);
  }
  return runner;
}

nb::list fallbackCounts(const FallbackRunner &runner) {
  nb::list counts;
  for (const Op *op : static_cast<const Fallbacks &>(runner).byIndex)
    counts.append(nb::make_tuple(op->label, op->count.load()));
  return counts;
}

} // namespace refrt
