// SPDX-License-Identifier: Apache-2.0
// A library that a module is linked with and that is not where the loader looks.
extern "C" __attribute__((visibility("default"))) void bell_foundry_cast() {}
