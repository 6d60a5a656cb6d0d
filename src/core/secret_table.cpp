// SPDX-License-Identifier: Apache-2.0
#include "core/secret_table.hpp"

#include <algorithm>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/core/diagnostic.hpp>

#include "base/text.hpp"
#include "core/secret_keeper.hpp"

namespace qconn::core {

namespace {

constexpr std::size_t k_longest_prefix = 32;

bool is_prefix(std::string_view s) noexcept {
    if (s.empty() || s.size() > k_longest_prefix || s[0] < 'a' || s[0] > 'z') return false;
    return std::all_of(s.begin(), s.end(), [](char c) { return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '-' || c == '_'; });
}

[[noreturn]] void refuse(const SecretProvider& provider, const std::string& why) {
    throw Error{make_error_code(Errc::invalid_argument), "SECRET-PROVIDER-ERROR",
                "adding a provider of secrets for '${" + text::printable(provider.prefix) + ":…}' failed: " + why}
        .with_reason(Reason::bad_value);
}

/// An argument that it does not take may be part of a password.
bool takes(const SecretProvider& provider, const SecretRef& reference) { return !provider.check || provider.check(reference.argument).empty(); }

/// In the place of command_secrets() where the program has not asked for that.
SecretProvider no_commands() {
    SecretProvider provider = command_secrets();
    provider.disabled =
        "command secrets are not enabled: this program does not run commands that definitions name; allow it where the registry is made "
        "(command_secrets() in RegistryOptions::secret_providers, --allow-commands of the tool), or use ${env:NAME} or ${file:PATH}";
    return provider;
}

}  // namespace

const SecretTable& SecretTable::builtin() {
    static const SecretTable table = [] {
        SecretTable made;
        made.add(environment_secrets());
        made.add(file_secrets());
        made.add(no_commands());
        return made;
    }();
    return table;
}

void SecretTable::add(SecretProvider provider) {
    if (!is_prefix(provider.prefix)) refuse(provider, "a prefix has lower-case letters, digits, '-' and '_', and begins with a letter");
    if (!provider.read) refuse(provider, "it has no function to read a secret");
    const auto known = std::find_if(providers_.begin(), providers_.end(), [&](const auto& one) { return one->prefix == provider.prefix; });
    if (known != providers_.end() && (*known)->disabled.empty()) refuse(provider, "this prefix has a provider already");
    auto shared = std::make_shared<const SecretProvider>(std::move(provider));
    if (known != providers_.end())
        *known = std::move(shared);
    else
        providers_.push_back(std::move(shared));
}

const SecretProvider* SecretTable::find(std::string_view prefix) const noexcept {
    const auto found = std::find_if(providers_.begin(), providers_.end(), [&](const auto& one) { return one->prefix == prefix; });
    return found == providers_.end() ? nullptr : found->get();
}

std::optional<SecretFinding> SecretTable::finding(const SecretRef& reference) const {
    const SecretProvider* provider = find(reference.prefix);
    if (!provider) {
        std::vector<std::string> known;
        std::string all;
        for (const auto& one : providers_) {
            known.push_back(one->prefix);
            all.append(all.empty() ? "" : ", ").append("${").append(one->prefix).append(":…}");
        }
        const std::string near = nearest(reference.prefix, known);
        return SecretFinding{"bad-reference", "a '${' with a word and a ':' after it stands here, but nothing provides secrets for that word",
                             near.empty() ? "there are " + all + "; write '$${' for a literal '${'"
                                          : "did you mean '${" + near + ":'? Write '$${' for a literal '${'"};
    }
    if (!provider->disabled.empty()) { return SecretFinding{"secret-command", provider->disabled, {}}; }
    if (text::trim(reference.argument).empty())
        return SecretFinding{"bad-reference", "the reference '${" + provider->prefix + ":}' names nothing", {}};
    if (provider->check) {
        if (std::string wrong = provider->check(reference.argument); !wrong.empty()) return SecretFinding{"bad-reference", std::move(wrong), {}};
    }
    return std::nullopt;
}

std::string SecretTable::shown(const SecretRef& reference) const {
    const SecretProvider* provider = find(reference.prefix);
    if (!provider) return "${…}";
    if (!takes(*provider, reference)) return "${" + provider->prefix + ":…}";
    return text::shorten(text::printable(reference.text()), 300);
}

bool SecretTable::is_reference(std::string_view text) const {
    if (!may_have_references(text)) return false;
    const auto scan = scan_secrets(text);
    if (!scan.problems.empty() || scan.pieces.size() != 1 || !scan.has_references()) return false;
    const SecretRef& reference = scan.pieces.front().reference;
    const SecretProvider* provider = find(reference.prefix);
    return provider && takes(*provider, reference);
}

SecretTokens SecretTable::tokens(std::string_view text) const {
    return SecretTokens{text, [this](const SecretRef& reference) { return find(reference.prefix) != nullptr; }};
}

}  // namespace qconn::core

namespace qconn {

namespace {

std::vector<SecretReference> as_references(std::vector<core::SecretRef> found) {
    std::vector<SecretReference> out;
    out.reserve(found.size());
    for (core::SecretRef& one : found) out.push_back({std::move(one.prefix), std::move(one.argument)});
    return out;
}

}  // namespace

std::vector<SecretReference> secret_references(std::string_view text) {
    std::vector<core::SecretRef> found;
    core::collect_references(text, found);
    return as_references(std::move(found));
}

std::vector<SecretReference> secret_references(const Definition& definition) { return as_references(core::references_of(definition)); }

}  // namespace qconn
