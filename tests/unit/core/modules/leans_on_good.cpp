// SPDX-License-Identifier: Apache-2.0
// Linked with the module `good`, whose entry point is not its own.
extern "C" int nothing() { return 0; }
