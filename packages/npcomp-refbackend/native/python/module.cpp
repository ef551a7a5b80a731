// npcomp_refbackend._runtime: programs, their instances and methods.
#include "artifact_file.h"
#include "bridge.h"
#include "checksum.h"
#include "cpu.h"
#include "dtype.h"
#include "error.h"
#include "fallback.h"
#include "memory.h"
#include "method.h"
#include "random.h"
#include "random_bridge.h"
#include "torch_bridge.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>

namespace nb = nanobind;
using namespace refrt;

namespace {

/// Bytes of any object with a contiguous buffer; the object lives as long as they do.
Span bufferOf(nb::handle object) {
  auto *view = new Py_buffer;
  if (PyObject_GetBuffer(object.ptr(), view, PyBUF_C_CONTIGUOUS) < 0) {
    delete view;
    throw nb::python_error();
  }
  auto release = [](const void *kept) {
    auto *view = static_cast<Py_buffer *>(const_cast<void *>(kept));
    nb::gil_scoped_acquire lock;
    PyBuffer_Release(view);
    delete view;
  };
  return {static_cast<uint8_t *>(view->buf), size_t(view->len), std::shared_ptr<const void>(view, release)};
}

std::shared_ptr<Program> programFromParts(const std::string &header, nb::handle object, nb::list constants) {
  std::vector<Span> spans;
  for (nb::handle constant : constants)
    spans.push_back(bufferOf(constant));
  return Program::create(header, bufferOf(object), spans);
}

struct File {
  ArtifactFile parts;
};

nb::bytes bytesOf(const Span &span) { return nb::bytes(span.data, span.size); }

nb::object stateOf(Instance &instance, size_t slot) {
  const Slot &row = instance.program->slots[slot];
  int64_t bits = instance.slots[slot];
  if (row.kind == "int")
    return nb::int_(bits);
  if (row.kind == "bool")
    return nb::bool_(bits & 1);
  if (row.kind == "float") {
    double value;
    memcpy(&value, &bits, sizeof value);
    return nb::float_(value);
  }
  refrt_tensor *copy = copyTensor(instance.tensor(slot));
  if (!copy)
    throw std::bad_alloc();
  copy->refcount = kOwner;
  PyObject *array = giveNumpy(copy);
  if (!array)
    throw nb::python_error();
  return nb::steal(array);
}

void setTensorState(Instance &instance, size_t slot, nb::handle value) {
  const Slot &row = instance.program->slots[slot];
  refrt_tensor *initial = instance.program->constants[size_t(row.constant)];
  Incoming in;
  Taken taken = takeNumpy(value.ptr(), in, initial->dtype == BF16);
  if (taken != Taken::Yes || in.dtype != initial->dtype || in.rank != initial->rank)
    throw nb::type_error(("state '" + row.name + "' holds " + dtypeName(initial->dtype) + " of rank " +
                          std::to_string(initial->rank) + ". do: give a numpy array of that dtype and rank")
                             .c_str());
  std::vector<int64_t> strides(size_t(in.rank));
  for (size_t d = 0; d < strides.size(); ++d)
    strides[d] = in.strides[d] / elementSize(in.dtype);
  refrt_tensor *wrapped = refrt_tensor_wrap(in.data, in.dtype, in.rank, in.sizes, strides.data());
  bool fine = wrapped && instance.setTensor(slot, wrapped);
  refrt_tensor_drop(wrapped);
  if (!fine)
    throw std::bad_alloc();
}

void setState(Instance &instance, size_t slot, nb::handle value) {
  const Slot &row = instance.program->slots.at(slot);
  if (row.kind == "tensor")
    return setTensorState(instance, slot, value);
  if (row.kind == "float") {
    double number = nb::cast<double>(value);
    memcpy(&instance.slots[slot], &number, sizeof number);
  } else {
    instance.slots[slot] = row.kind == "bool" ? int64_t(nb::cast<bool>(value)) : nb::cast<int64_t>(value);
  }
}

void bindPrograms(nb::module_ &m) {
  nb::class_<Program>(m, "Program", "A loaded program: code and constants, shared by its instances.")
      .def_static("from_parts", programFromParts, nb::arg("header"), nb::arg("object"), nb::arg("constants"))
      .def_static(
          "from_file",
          [](const File &file) { return Program::create(file.parts.header, file.parts.object, file.parts.constants); })
      .def_prop_ro("code_bytes", [](const Program &self) { return self.object->codeBytes(); })
      .def_prop_ro("method_names", [](const Program &self) {
        std::vector<std::string> names;
        for (const Method &method : self.methods)
          names.push_back(method.name);
        return names;
      });
  nb::class_<File>(m, "File", "An artifact file, checked and mapped.")
      .def_prop_ro("header", [](const File &self) { return self.parts.header; })
      .def_prop_ro("object", [](const File &self) { return bytesOf(self.parts.object); })
      .def_prop_ro(
          "constants",
          [](nb::handle self) {
            const Span &span = nb::cast<const File &>(self).parts.constants;
            PyObject *view = PyMemoryView_FromMemory(reinterpret_cast<char *>(const_cast<uint8_t *>(span.data)),
                                                     Py_ssize_t(span.size), PyBUF_READ);
            return nb::steal(view);
          },
          nb::keep_alive<0, 1>());
  m.def("open_file", [](const std::string &path) { return File{readArtifact(path)}; }, nb::arg("path"));
}

void bindInstances(nb::module_ &m) {
  nb::class_<Instance>(m, "Instance", "A program with state of its own.")
      .def(
          "__init__",
          [](Instance *self, std::shared_ptr<Program> program, nb::object plans) {
            new (self) Instance(std::move(program));
            if (!plans.is_none())
              self->fallbacks = makeFallbacks(nb::cast<nb::list>(plans));
          },
          nb::arg("program"), nb::arg("fallbacks").none() = nb::none())
      .def_prop_ro("calls", [](const Instance &self) { return self.calls.load(); })
      .def_prop_ro("failures", [](const Instance &self) { return self.failures.load(); })
      .def("fallback_counts",
           [](const Instance &self) { return self.fallbacks ? fallbackCounts(*self.fallbacks) : nb::list(); })
      .def("state", stateOf, nb::arg("slot"))
      .def("set_state", setState, nb::arg("slot"), nb::arg("value"))
      .def("reset", &Instance::reset);
  m.def(
      "method",
      [](std::shared_ptr<Instance> instance, size_t number, const std::string &outputs) {
        return makeMethod(std::move(instance), number, outputs);
      },
      nb::arg("instance"), nb::arg("number"), nb::arg("outputs"));
}

} // namespace

NB_MODULE(_runtime, m) {
  m.doc() = "The runtime of npcomp's reference backend.";
  m.attr("ABI") = REFRT_ABI;
  m.attr("FORMAT_VERSION") = kFormatVersion;
  m.attr("PRELUDE_BYTES") = kPreludeBytes;
  m.attr("MAGIC") = nb::bytes(kMagic, sizeof kMagic);
  nb::exception<LoadError>(m, "ArtifactError", PyExc_ValueError);
  if (!initNumpy() || !initMethods())
    throw nb::python_error();
  bindPrograms(m);
  bindInstances(m);
  m.def("host_features", hostFeatures, "Features of this machine's processor that compiled code may need.");
  m.def(
      "checksum",
      [](nb::list pieces) {
        Checksum sum;
        for (nb::handle piece : pieces) {
          Span span = bufferOf(piece);
          sum.add(span.data, span.size);
        }
        return sum.value();
      },
      nb::arg("pieces"));
  useTorchsGenerator();
  m.def("manual_seed", refrt_manual_seed, nb::arg("seed"));
  m.def("live_tensors", liveTensors, "Tensors of the runtime that exist in this process.");
  m.def("cached_memory", cachedMemory, "Bytes of large blocks kept for reuse.");
  m.def("trim", trimMemory, "Returns the memory kept for reuse to the system.");
  m.def("torch_problem", torchProblem, "Why torch is not reached through its C functions; empty when it is.");
  m.def("disable_torch", disableTorch, nb::arg("disable"), "For tests: reach torch through DLPack alone.");
}
