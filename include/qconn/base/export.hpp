// SPDX-License-Identifier: Apache-2.0
/// Symbol visibility of the public interface.
#pragma once

#if defined(__GNUC__)
#define QCONN_API __attribute__((visibility("default")))
#else
#define QCONN_API
#endif
