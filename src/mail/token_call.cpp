// SPDX-License-Identifier: Apache-2.0
#include "mail/token_call.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <qconn/base/result.hpp>

#include "net/loop_impl.hpp"

namespace qconn::mail {
namespace {

/// On its way from another thread; of the loop's thread.
struct TokenWait {
    net::Baton baton;
    std::optional<Result<TokenPtr>> result;
};

}  // namespace

net::Task<TokenPtr> token_of(net::Call& call, TokenSource& source, TokenPtr refused, Deadline by) {
    if (refused == nullptr) {
        TokenPtr there = source.current();
        if (there) co_return there;
    }
    const auto wait = std::make_shared<TokenWait>();
    auto told = [wait, loop = call.loop().shared_from_this()](Result<TokenPtr> result) {
        loop->post([weak = std::weak_ptr<TokenWait>{wait}, result = std::move(result)]() mutable {
            const auto one = weak.lock();
            if (!one) return;
            one->result.emplace(std::move(result));
            one->baton.notify();
        });
    };
    Operation asking = refused == nullptr ? source.async_token(by, std::move(told)) : source.async_renew(std::move(refused), by, std::move(told));
    call.expect(Phase::auth, "a token", {}, by);
    std::exception_ptr stopped;
    try {
        co_await net::Wait{call, wait->baton};
    } catch (const Error&) { stopped = std::current_exception(); }
    if (stopped) {
        asking.cancel();
        std::rethrow_exception(stopped);
    }
    if (!*wait->result) throw net::in_job(call.job(), wait->result->error()).with_phase(Phase::auth);
    co_return std::move(*wait->result).value();
}

}  // namespace qconn::mail
