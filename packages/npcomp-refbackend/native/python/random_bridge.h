// torch's default generator as the source of random keys, in a process that has torch.
#pragma once

namespace refrt {

/// From here on programs draw their keys from torch's default CPU generator while torch is loaded.
void useTorchsGenerator();

} // namespace refrt
