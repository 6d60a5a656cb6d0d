// SPDX-License-Identifier: Apache-2.0
#include "auth/token_state.hpp"

#include <algorithm>
#include <utility>

#include "auth/token_request.hpp"

namespace qconn::auth {

void Pause::begin(Clock::time_point now) noexcept {
    if (now_ != Clock::duration::zero() && now - until_ > longest_) now_ = Clock::duration::zero();
    now_ = now_ == Clock::duration::zero() ? first_ : std::min(2 * now_, longest_);
    until_ = now + now_;
}

std::optional<Clock::time_point> renewal_time(const Token& token, std::chrono::seconds ahead, Clock::time_point now) noexcept {
    if (!token.lifetime) return std::nullopt;
    const auto margin = std::min<Clock::duration>(std::max(ahead, std::chrono::seconds{0}), *token.lifetime / 5);
    return now + *token.lifetime - margin;
}

TokenState::TokenState(const OAuth2Options& options)
    : grant_{options.grant}, auto_refresh_{options.auto_refresh}, ahead_{options.refresh_ahead}, refresh_{options.refresh_token} {
    if (options.token.empty()) return;
    auto given = std::make_shared<Token>();
    given->access = options.token;
    given->type = options.token_type;
    given->refresh = options.refresh_token;
    token_ = std::move(given);
    last_ = token_;
}

bool TokenState::can_fetch() const noexcept { return can_log_in(grant_) || (!refresh_.empty() && grant_ != OAuth2Grant::none); }

TokenState::Advice TokenState::ask(Clock::time_point now) {
    if (token_ && !token_->has_expired(now)) {
        const bool due = auto_refresh_ && renew_ && now >= *renew_;
        return due && can_fetch() && !fetching_ && !after_failure_.lasts(now) ? Advice::use_and_fetch : Advice::use;
    }
    if (fetching_) return Advice::wait;
    if (failure_ && after_failure_.lasts(now)) return Advice::fail;
    return Advice::fetch;
}

TokenState::Advice TokenState::refused(const TokenPtr& token, Clock::time_point now) {
    const bool is_current = token_ && token && token_->access == token->access;
    if (!is_current) return ask(now);  // somebody else was refused before, and there is a new one, or will be
    if (!auto_refresh_ || grant_ == OAuth2Grant::none) return Advice::report;
    if (!fetching_ && can_fetch()) {
        if (after_refusal_.lasts(now)) return Advice::report;
        if (failure_ && after_failure_.lasts(now)) return Advice::fail;
        after_refusal_.begin(now);
    }
    token_ = nullptr;
    return fetching_ ? Advice::wait : Advice::fetch;
}

TokenPtr TokenState::fetched(Token token, Clock::time_point now) {
    fetching_ = false;
    failure_.reset();
    after_failure_.forget();
    keep_refresh_token(token);
    renew_ = renewal_time(token, ahead_, now);
    token_ = std::make_shared<const Token>(std::move(token));
    last_ = token_;
    return token_;
}

void TokenState::keep_refresh_token(Token& token) {
    if (token.refresh.empty()) {
        token.refresh = refresh_;
        if (last_) token.refresh_expires = last_->refresh_expires;
    }
    refresh_ = token.refresh;
}

void TokenState::resume(Token token, Clock::time_point now) {
    if (fetching_) return;
    keep_refresh_token(token);
    if (token.expires) renew_ = *token.expires - std::min<Clock::duration>(ahead_, token.lifetime.value_or(*token.expires - now) / 5);
    token_ = std::make_shared<const Token>(std::move(token));
    last_ = token_;
}

void TokenState::failed(Error error, Clock::time_point now) {
    fetching_ = false;
    failure_ = std::move(error);
    after_failure_.begin(now);
}

}  // namespace qconn::auth
