// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_engine.hpp"

#include <algorithm>
#include <utility>

#include "net/runtime_impl.hpp"
#include "ssh/sftp_upload.hpp"

namespace qconn::sftp {

namespace {

/// How long tidying up after a call may take.
constexpr std::chrono::seconds k_tidy_limit{10};
/// How much of that who destroys the client waits for.
constexpr std::chrono::seconds k_end_limit{2};
/// Sessions that one call may lose before anything of it was sent.
constexpr int k_most_tries = 3;
/// Blocks for uploads that are kept.
constexpr std::size_t k_upload_spare = 32;
/// How long a lane is waited for, and how long it is kept for the next large transfer: each is a process of the server's.
constexpr std::chrono::milliseconds k_patience{10'000}, k_linger{10'000};
/// Connections that may end over another channel before none is asked for any more.
constexpr int k_most_ended = 2;

SftpOptions checked(SftpOptions options) {
    constexpr std::size_t k_least_window = 64 * 1024, k_most_channels = 10;
    options.window = std::max(options.window, k_least_window);
    options.channels = std::clamp<std::size_t>(options.channels, 1, k_most_channels);
    while (options.path.size() > 1 && options.path.ends_with('/')) options.path.pop_back();
    return options;
}

}  // namespace

Engine::Engine(std::shared_ptr<ssh::ChannelSource> source, SftpOptions options, Runtime runtime)
    : options_{checked(std::move(options))},
      redactions_{redactions_of(options_.label)},
      runtime_{std::move(runtime)},
      source_{std::move(source)},
      server_{source_->peer()},
      upload_pool_{make_block_pool(k_upload_block, k_upload_spare)},
      first_{std::make_shared<Lane>(Lane::Common{source_, options_.label, server_, options_.timeout, sharers_})},
      lanes_{first_},
      usable_{options_.channels} {}

Engine::~Engine() = default;

void Engine::close(std::shared_ptr<Engine> self) noexcept {
    net::Loop& loop = self->loop();
    try {
        loop.post([self = std::move(self)] {
            self->closing_ = true;
            const auto calls = self->calls_;
            for (const auto& call : calls) {
                if (!call->is_tidying()) call->stop(stopped(call->subject(), true, ": the client was closed"));
            }
            self->close_if_idle();
        });
    } catch (const std::exception&) {}  // without memory calls end with their deadlines
}

void Engine::wait_for_end() {
    std::unique_lock lock{end_mutex_};
    end_.wait_for(lock, k_end_limit, [this] { return under_way_ == 0; });
}

void Engine::count_begun() {
    const std::scoped_lock lock{end_mutex_};
    ++under_way_;
}

void Engine::count_ended() {
    const std::scoped_lock lock{end_mutex_};
    if (--under_way_ == 0) end_.notify_all();
}

void Engine::close_if_idle() {
    if (!closing_ || !calls_.empty()) return;
    const auto lanes = lanes_;
    for (const auto& lane : lanes) lane->close();
}

void Engine::leave(const std::shared_ptr<Call>& call) {
    calls_.erase(call);
    close_if_idle();
}

bool Engine::may_begin_anew(const Call& call, const Error& error, int tries) const {
    if (call.is_stopped() || !error.spoils_connection() || error.code() != make_error_code(SftpErrc::session)) return false;
    // The session may have ended while it was idle, which is seen only when it is used.
    return call.has_begun() ? tries == 1 && call.is_repeatable() : tries < k_most_tries;
}

void Engine::tidy(std::string verb, std::string path, std::function<Task<void>(Call&)> body) {
    auto call = std::make_shared<Call>(shared_from_this(), std::move(verb), std::move(path), Deadline{k_tidy_limit});
    // Begun at once, also where the client is going: its close() has stopped what was there before.
    call->note_tidying();
    const bool closing = std::exchange(closing_, false);
    count_begun();
    run<void>(shared_from_this(), call, std::move(body), [](const Result<void>&) {});
    closing_ = closing;
}

void Engine::give_up(const std::shared_ptr<Session>& session) {
    const auto lanes = lanes_;  // who loses its session may ask for a lane
    for (const auto& lane : lanes) lane->give_up(session);
}

Task<std::shared_ptr<Session>> Engine::session(Call& call) {
    std::optional<Error> error;
    try {
        auto session = co_await first_->session(call);
        co_return session;
    } catch (const Error& thrown) {
        if (call.is_stopped()) throw;
        error = thrown;
    }
    // Lanes may have all the channels that the server gives.
    for (const auto& lane : lanes_) {
        if (auto session = lane->current()) co_return session;
    }
    call.note_begun();  // a session that cannot be had is not tried again
    call.set_repeatable(false);
    // Its own words where it is the session's; others know better what they did.
    if (error->code().category() == sftp_category()) throw call.lost(*error);
    throw *error;
}

Task<Seat> Engine::seat(Call& call) {
    Seat seat;
    for (;;) {
        const std::size_t index = take_place(seat.place);
        auto first = co_await session(call);  // whatever the lane: a server that cannot be reached refuses no channel
        if (index == 0) {
            seat.session = std::move(first);
            co_return seat;
        }
        std::optional<Error> error;
        try {
            seat.session = co_await seat.place.lane()->session(call);
        } catch (const Error& thrown) { error = thrown; }
        if (!error && first->is_open()) {
            ended_by_another_ = 0;
            co_return seat;
        }
        const bool cancelled = error && error->code() == make_error_code(Errc::cancelled);
        if (!cancelled) on_no_lane(index, first, error);
        if (call.is_stopped()) throw *error;
        seat.session = nullptr;
    }
}

/// In the lane with the fewest; the first of those.
std::size_t Engine::take_place(Place& place) {
    place = {};
    if (usable_ < options_.channels && ended_by_another_ < k_most_ended) {
        // Another connection, maybe to another server.
        if (const auto now = first_->current(); now && now != usable_with_.lock()) usable_ = options_.channels;
    }
    std::size_t best = 0;
    for (std::size_t i = 1; i < usable_ && lanes_[best]->load() > 0; ++i) {
        if (i == lanes_.size()) {
            const std::chrono::milliseconds patience = options_.timeout.count() > 0 ? std::min(options_.timeout, k_patience) : k_patience;
            lanes_.push_back(
                std::make_shared<Lane>(Lane::Common{source_, options_.label, server_, options_.timeout, sharers_}, Lane::Spare{patience, k_linger}));
        }
        if (lanes_[i]->load() < lanes_[best]->load()) best = i;
    }
    place = Place{lanes_[best]};
    return best;
}

/// The transfer goes on in another. A server that ends the connection whenever it is asked for a second channel is not asked for one any more; the
/// lane may then be the first channel of a connection that was made since, and is closed.
void Engine::on_no_lane(std::size_t index, const std::shared_ptr<Session>& first, const std::optional<Error>& error) {
    usable_ = std::min(usable_, index);
    usable_with_ = first;
    // The lane hears of the end before the first session may.
    if (first->is_open() && !error->spoils_connection()) return;
    if (ended_last_.lock() == first) return;
    ended_last_ = first;
    if (++ended_by_another_ >= k_most_ended) usable_ = 1;
    const auto lane = lanes_[index];
    lane->close();
}

}  // namespace qconn::sftp
