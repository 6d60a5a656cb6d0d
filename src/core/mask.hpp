// SPDX-License-Identifier: Apache-2.0
/// Definitions as they may be shown.
#pragma once

#include <string_view>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

namespace qconn::core {

/// An option's value without what may be secret in it: sensitive ones, those of unknown options (`spec` is null) and the values of maps are masked,
/// URLs lose their passwords. A text that is nothing but a reference to a secret is shown: it says where the secret is, not what.
Value masked_value(const OptionSpec* spec, const Value& value);
/// The whole definition so. `scheme` is null where it is unknown.
Definition masked(const Definition& definition, const Scheme* scheme);

}  // namespace qconn::core
