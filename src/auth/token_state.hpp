// SPDX-License-Identifier: Apache-2.0
/// What is to be done when somebody wants a token: all that TokenSource decides, without threads, clocks and I/O.
#pragma once

#include <optional>

#include <qconn/auth/oauth2.hpp>

namespace qconn::auth {

/// A pause after something that should not be repeated at once: doubled each time, forgotten once that was not necessary for as long as it can last.
class Pause {
public:
    constexpr Pause(Clock::duration first, Clock::duration longest) noexcept : first_{first}, longest_{longest} {}

    void begin(Clock::time_point now) noexcept;
    void forget() noexcept { now_ = Clock::duration::zero(); }
    bool lasts(Clock::time_point now) const noexcept { return now_ != Clock::duration::zero() && now < until_; }
    Clock::time_point until() const noexcept { return until_; }

private:
    Clock::duration first_;
    Clock::duration longest_;
    Clock::duration now_{0};
    Clock::time_point until_{};
};

inline constexpr std::chrono::seconds k_first_pause{1};
inline constexpr std::chrono::seconds k_longest_pause_of_fetches{30};
inline constexpr std::chrono::seconds k_longest_pause_of_refusals{60};

/// When a token that came at `now` is to be renewed; none where it has no end.
std::optional<Clock::time_point> renewal_time(const Token& token, std::chrono::seconds ahead, Clock::time_point now) noexcept;

/// @note One thread at a time.
class TokenState {
public:
    enum class Advice {
        use,            ///< token() is good
        use_and_fetch,  ///< likewise, and a fetch is to begin
        fetch,          ///< a fetch is to begin, and its outcome is the answer; also where it can only fail
        wait,           ///< the outcome of the fetch that is under way is the answer
        fail,           ///< failure() is the answer
        report,         ///< the refusal stands
    };

    explicit TokenState(const OAuth2Options& options);

    Advice ask(Clock::time_point now);
    /// That token was answered with 401.
    Advice refused(const TokenPtr& token, Clock::time_point now);

    void begin_fetch() noexcept { fetching_ = true; }
    /// Keeps the refresh token before where the new one brings none.
    TokenPtr fetched(Token token, Clock::time_point now);
    void failed(Error error, Clock::time_point now);
    /// Likewise, of a token that was kept elsewhere; nothing is under way yet.
    void resume(Token token, Clock::time_point now);
    /// The server does not take the refresh token any more.
    void drop_refresh_token() noexcept { refresh_ = {}; }

    /// Null: none.
    const TokenPtr& token() const noexcept { return token_; }
    const TokenPtr& last() const noexcept { return last_; }
    const Secret& refresh_token() const noexcept { return refresh_; }
    const std::optional<Error>& failure() const noexcept { return failure_; }
    bool is_fetching() const noexcept { return fetching_; }
    bool can_fetch() const noexcept;
    bool needs_person(Clock::time_point now) const noexcept { return (!token_ || token_->has_expired(now)) && !can_fetch(); }

private:
    /// A new token without one goes on with that of the token before.
    void keep_refresh_token(Token& token);

    OAuth2Grant grant_;
    bool auto_refresh_;
    std::chrono::seconds ahead_;
    TokenPtr token_;
    TokenPtr last_;
    std::optional<Clock::time_point> renew_;
    Secret refresh_;
    std::optional<Error> failure_;
    bool fetching_{false};
    Pause after_failure_{k_first_pause, k_longest_pause_of_fetches};
    Pause after_refusal_{k_first_pause, k_longest_pause_of_refusals};
};

}  // namespace qconn::auth
