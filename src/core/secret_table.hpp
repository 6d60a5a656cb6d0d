// SPDX-License-Identifier: Apache-2.0
/// The kinds of secret references that are known.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/secret_provider.hpp>

#include "core/secret_ref.hpp"

namespace qconn::core {

/// What is wrong with a reference that is well formed.
struct SecretFinding {
    std::string_view code;
    std::string message;
    std::string hint;
};

/// Providers by prefix. A value type; copies share the providers.
class SecretTable {
public:
    /// env, file, and cmd, which is disabled.
    static const SecretTable& builtin();

    /// Takes the place of a disabled one of that prefix.
    /// @throws Error SECRET-PROVIDER-ERROR where the prefix is no proper one or taken, or `read` is empty
    void add(SecretProvider provider);
    const SecretProvider* find(std::string_view prefix) const noexcept;
    const std::vector<std::shared_ptr<const SecretProvider>>& providers() const noexcept { return providers_; }

    /// Asks nobody for the secret. The words show nothing of a reference whose prefix is unknown, as it may be part of a password.
    std::optional<SecretFinding> finding(const SecretRef& reference) const;
    /// The reference as it may be shown.
    std::string shown(const SecretRef& reference) const;
    /// Whether a text is one good reference of a known kind and nothing else: then it may be shown.
    bool is_reference(std::string_view text) const;
    /// The text with the references of known kinds as words: what else looks like one may be part of a password.
    SecretTokens tokens(std::string_view text) const;

private:
    std::vector<std::shared_ptr<const SecretProvider>> providers_;
};

/// `${env:NAME}`
SecretProvider environment_secrets();
/// `${file:PATH}`
SecretProvider file_secrets();

/// The absolute or relative path that a `${file:…}` of a definition in `directory` means.
std::string secret_path(std::string_view argument, std::string_view directory);

}  // namespace qconn::core
