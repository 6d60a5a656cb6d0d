// SPDX-License-Identifier: Apache-2.0
/// Definitions as they may be shown.
#pragma once

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "core/secret_table.hpp"

namespace qconn::core {

/// The definition without what may be secret in it: the values of sensitive and of unknown options and of maps are masked, URLs lose their passwords.
/// A text that is nothing but a reference to a secret is shown: it says where the secret is, not what. `scheme` is null where it is unknown.
Definition masked(const Definition& definition, const Scheme* scheme, const SecretTable& secrets = SecretTable::builtin());

}  // namespace qconn::core
