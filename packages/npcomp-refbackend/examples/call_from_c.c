/* Runs `forward` of an artifact on 2 x 3 floats, without Python:
 *
 *     call_from_c model.npc
 *
 * The artifact here takes f32[batch, 3] and returns f32[batch, 3]; `npcomp-refbackend inspect` shows what another
 * takes.
 */
#include <refrt.h>

#include <stdio.h>

int main(int argc, char **argv) {
  refrt_error error;
  if (argc != 2) {
    fprintf(stderr, "usage: %s model.npc\n", argv[0]);
    return 2;
  }
  refrt_program *program = refrt_program_open(argv[1], &error);
  if (!program) {
    fprintf(stderr, "%s: %s\n", error.kind, error.message);
    return 1;
  }
  refrt_instance *instance = refrt_instance_new(program);

  float numbers[6] = {0, 1, 2, 3, 4, 5};
  const int64_t sizes[2] = {2, 3};
  refrt_tensor *x = refrt_tensor_wrap(numbers, 6 /* f32 */, 2, sizes, NULL);
  int64_t args[1] = {(int64_t)x}, results[1];
  int status = refrt_call(instance, refrt_method(instance, "forward"), args, results, &error);
  if (status == 0) {
    refrt_tensor *y = (refrt_tensor *)results[0];
    for (int64_t i = 0; i < y->numel; ++i)
      printf("%g\n", ((float *)y->data)[i]);
    refrt_tensor_drop(y);
  } else {
    fprintf(stderr, "%s: %s\n", error.kind, error.message);
  }

  refrt_tensor_drop(x);
  refrt_instance_delete(instance);
  refrt_program_close(program);
  return status;
}
