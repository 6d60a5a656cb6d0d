// SPDX-License-Identifier: Apache-2.0
/// From definitions to sources of tokens: what the table of options cannot say, and which clients share a source.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/auth/oauth2.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/http/http_client.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

OAuth2Grant grant_of(std::string_view name) noexcept;

// Checks of single options: empty, or what is wrong.
std::string whole_or_path_problem(const Value& url);
std::string form_fields_problem(const Value& map);
std::string scopes_problem(const Value& list);

/// The grant that a definition names, as far as it can be seen in it.
OAuth2Grant grant_of(const Definition& definition);

/// What a kind knows of its tokens without being told.
struct OAuth2Defaults {
    /// Where oauth2_grant_type is not set.
    OAuth2Grant grant{OAuth2Grant::none};
    /// Options of the grant that need not be given: `oauth2_token_url`. With `oauth2_client_secret` the client may be a public one.
    std::vector<std::string_view> known{};
    /// The log-in has a user name besides its token.
    bool user_beside{false};
    bool knows(std::string_view option) const;
};
/// What is wrong with the options oauth2_…, taken together. Kinds may call those for id and secret `client_id` and `client_secret`.
void check_oauth2(const Definition& definition, const OAuth2Defaults& defaults, Findings& findings);

/// Completes `oauth2`, whose own options are set: URLs that are paths become whole ones, and what is for log-ins there, user and token, moves out of
/// `http`. Nothing without a grant.
void set_oauth2(OAuth2Options& oauth2, HttpOptions& http);

/// The sources of tokens of a scheme's connections: the client and the pings of one share theirs, and a connection that is made anew goes on with the
/// tokens of the one before where all that tokens depend on is the same.
/// @note Thread-safe.
class TokenSources : public std::enable_shared_from_this<TokenSources> {
public:
    /// @param send  made only where there is no source yet
    std::shared_ptr<TokenSource> get(const ResolvedDefinition& definition, const OAuth2Options& oauth2, const std::function<SendForm()>& send,
                                     const Runtime& runtime);

private:
    struct Shared;
    struct Known {
        std::weak_ptr<Shared> live;
        /// Of the last that went.
        TokenPtr token;
        Clock::time_point until{};
    };
    void keep(const std::string& key, const TokenSource& source);
    void forget_old(Clock::time_point now);

    std::mutex mutex_;
    std::map<std::string, Known> known_;  // guarded by mutex_
};

}  // namespace qconn::schemes
