// SPDX-License-Identifier: Apache-2.0
/// The owner of a descriptor, under the name that this layer knows it by.
#pragma once

#include "base/unique_fd.hpp"

namespace qconn::net {
using qconn::UniqueFd;
}
