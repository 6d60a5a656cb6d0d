// SPDX-License-Identifier: Apache-2.0
/// What to do about a failure.
#pragma once

#include <string_view>

#include <qconn/base/error.hpp>

namespace qconn::cli {

/// One or two sentences for an operator, from where and why it failed. Never empty.
std::string_view advice(Phase phase, Reason reason) noexcept;

}  // namespace qconn::cli
