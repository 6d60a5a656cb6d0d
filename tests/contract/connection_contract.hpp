// SPDX-License-Identifier: Apache-2.0
/// What every family of connections promises, as one suite that each of them runs against a real peer.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <qconn/core/scheme.hpp>
#include <qconn/net/ping.hpp>
#include <qconn/net/runtime.hpp>

#include "support/use.hpp"

namespace qconn::test {

/// A secret for samples that have places for one which no option table knows: a query, a header. No text may show it.
inline constexpr const char* k_canary = "k4naRi3nv0gel";

/// A definition without its name.
struct Sample {
    std::string url;
    /// Lines, without their indentation.
    std::string options{};
};

/// The family has no such thing, and why.
struct Absent {
    std::string why;
};

/// A definition that is down, and what its ping must say.
struct Down {
    Sample sample;
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    PingDepth depth{PingDepth::standard};
    /// Of the ping. A second or two where nothing but it ends the ping: loading TLS options comes first.
    std::chrono::milliseconds limit{std::chrono::seconds{10}};
};

/// What `use` is kept busy with.
struct SlowUse {
    /// Its peer does not answer.
    Sample sample;
    /// Whether so many calls have come to where they wait. Empty: they wait as soon as they are begun.
    std::function<bool(int calls)> reached{};
    /// Makes calls wait, as long as what it returns lives, where no peer can do that. May be empty.
    std::function<std::shared_ptr<void>(const Runtime&)> hold{};
    /// Why a blocking call does not end at its deadline. Empty: it does.
    std::string blocking_ignores_deadline{};
    /// Why a blocking call of one thread does not end when another destroys the client. Empty: it does.
    std::string blocking_holds_client{};
};

/// One member of a family. What may be absent must be said to be: what is left out is a broken promise.
struct ConnectionContract {
    /// With the scheme; null: the built-in one.
    const Catalogue* catalogue{nullptr};
    Sample up;
    /// Likewise up, and its use is answered otherwise.
    Sample changed;
    Use use;
    std::string answer;
    std::string changed_answer;
    std::variant<std::monostate, Absent, Down> refused{};
    std::variant<std::monostate, Absent, Down> silent{};
    std::variant<std::monostate, Absent, Down> wrong_password{};
    std::variant<std::monostate, Absent, Down> bad_certificate{};
    std::variant<std::monostate, Absent, SlowUse> slow{};
    /// A scheme of the catalogue whose contract shows what options do that are the same here; empty: all are tried.
    std::string options_beyond{};
    /// By name of an option whose example does not do here (a file that is not there) or not with `up`: what to try it with. Without a URL: `up` with
    /// these options too.
    std::map<std::string, Sample> samples{};
    /// With k_canary in places that no option table knows; valid or not, up or down.
    std::vector<Sample> with_canary{};
};

/// One that was not kept.
struct Broken {
    std::string promise;
    std::string how;
};

/// Tries every promise and returns those that are broken; empty: all are kept. The peers are the caller's, and must stand until it returns.
/// @note A blocking call that never ends is named on standard error, and ends with the time limit of the test.
std::vector<Broken> broken_promises(const ConnectionContract& contract);

/// "PROMISE: HOW", one a line.
std::string to_text(const std::vector<Broken>& all);

}  // namespace qconn::test
