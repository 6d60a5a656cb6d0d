// SPDX-License-Identifier: Apache-2.0
/// What a kind of REST API is made of. `rest` is one that adds nothing; those of vendors have options, log-ins, paths and errors of their own, and
/// a file each (docs/vendor-kinds.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemes/oauth2.hpp"
#include "schemes/rest_options.hpp"

namespace qconn::schemes {

/// What a definition gives, before its references are resolved or after.
class Given {
public:
    explicit Given(const Definition& definition);
    explicit Given(const ResolvedDefinition& definition);

    bool has(std::string_view option) const;
    /// By options or in the URL.
    bool has_user() const { return url_.username.has_value() || has("username"); }

private:
    const Map& options_;
    Url url_;
};

/// Members that are absent add nothing to `rest`. All functions must be thread-safe.
struct RestKind {
    /// Of its schemes. One that ends in `s` is spoken over TLS; two are the plain one and that.
    std::vector<std::string> names;
    /// Its page under docs/families.
    std::string family;
    std::string title;
    std::string help;
    std::string example_url;
    /// Its own options, and those of `rest` that it has otherwise or not at all.
    std::function<void(RestTable& table)> options{};
    std::vector<RequiredOptions> required{};
    /// How tokens are got where oauth2_grant_type is not set.
    std::function<OAuth2Defaults(const Given& given)> oauth2{};
    /// Completes what the table and the URL have said: base path, headers, places of tokens (a path is one at the host of the URL), authenticator,
    /// form of errors.
    /// @throws Error where the values cannot work together
    std::function<void(RestSettings& settings, const ResolvedDefinition& definition)> complete{};
    /// Makes of what sends forms what logs in: in another form, or with further steps.
    std::function<SendForm(SendForm plain, const RestSettings& settings, const ResolvedDefinition& definition, const Runtime& runtime)> log_in{};
    /// What a ping asks where the options ping_… do not say it.
    std::function<std::optional<PingCall>(const ResolvedDefinition& definition)> ping{};
    /// What the table cannot say.
    std::function<void(const Definition& definition, Findings& findings)> check{};
    /// Beside those of `rest`.
    std::vector<OperationSpec> operations{};
};

Scheme rest_kind(RestKind kind);

/// The base path of the API follows the path of the URL, unless that ends with it already.
void add_base_path(RestSettings& settings, std::string_view path);
/// A header of each request, unless the definition has one of that name.
void set_default_header(RestSettings& settings, std::string_view name, std::string value);
/// Adds `client_id` and `client_secret`, for what `rest` calls oauth2_client_id and oauth2_client_secret.
void add_client_id_options(RestTable& table, std::string_view of_what);
/// Bodies are JSON, and there is no choice.
void take_json_only(RestTable& table);
/// Request bodies are sent in gzip unless the definition says otherwise.
void compress_by_default(RestTable& table);

}  // namespace qconn::schemes
