// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_session.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "net/runtime_impl.hpp"
#include "ssh/sftp_error.hpp"

namespace qconn::sftp {

namespace {

/// Read in one turn of the loop, so that others have theirs.
constexpr std::size_t k_turn = 2 * 1024 * 1024;
/// Small packets are put together to pieces of this size.
constexpr std::size_t k_piece = 16 * 1024;
/// Blocks of input that are kept while transfers are under way: making one anew costs more than filling it.
constexpr std::size_t k_spare_blocks = 16;
/// What limits@openssh.com allows is used up to here: larger packets gain nothing more.
constexpr std::uint32_t k_largest_chunk = 255 * 1024;

struct KnownExtension {
    std::string_view name;
    std::string_view version;
    bool Abilities::*ability;
};
constexpr std::array<KnownExtension, 5> k_extensions{{
    {"posix-rename@openssh.com", "1", &Abilities::posix_rename},
    {"statvfs@openssh.com", "2", &Abilities::statvfs},
    {"fsync@openssh.com", "1", &Abilities::fsync},
    {"hardlink@openssh.com", "1", &Abilities::hardlink},
    {"limits@openssh.com", "1", &Abilities::limits},
}};

/// Takes the answer to limits@openssh.com.
class LimitsReceiver final : public Receiver {
public:
    explicit LimitsReceiver(UniqueFunction<void(const Packet&)> take) : take_{std::move(take)} {}
    void on_answer(std::uint64_t, const Packet& packet, const BlockRef&) override { take_(packet); }
    void on_lost(std::uint64_t, const Error&, bool) override {}

private:
    UniqueFunction<void(const Packet&)> take_;
};

std::uint32_t chunk_of(std::uint64_t limit) noexcept {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(limit == 0 ? k_chunk : limit, 1024, k_largest_chunk));
}

}  // namespace

Session::Session(std::unique_ptr<ssh::Channel> channel, std::string label, std::string server, std::chrono::milliseconds timeout,
                 std::shared_ptr<Sharers> sharers)
    : loop_{channel->loop().shared_from_this()},
      channel_{std::move(channel)},
      label_{std::move(label)},
      server_{std::move(server)},
      timeout_{timeout},
      input_pool_{make_block_pool(PacketInput::k_block_size, k_spare_blocks)},
      input_{input_pool_},
      sharers_{std::move(sharers)},
      silence_{*loop_} {}

Session::~Session() = default;

void Session::start(UniqueFunction<void(std::optional<Error>)> ready, UniqueFunction<void()> ended) {
    ready_ = std::move(ready);
    ended_ = std::move(ended);
    queue(init_request());
    watch_silence();
    loop_->post([self = shared_from_this()] { self->on_readable(); });
}

Error Session::broken(Reason reason, std::string_view what) const {
    const Subject subject{label_, server_, "the SFTP session", {}};
    return sftp_error(subject, SftpErrc::session, reason, what).with_retryable(true).with_spoils_connection(true);
}

Error Session::closed_by_server() const {
    std::string what = "the server closed it";
    if (state_ == State::greeting) what += " before it had said its version; the subsystem may be switched off, or its start prints something";
    const std::string said = channel_->said();
    if (const auto words = text::trim(said); !words.empty()) what += "; it said \"" + text::printable(words) + '"';
    return broken(Reason::closed, what);
}

std::uint32_t Session::register_request(std::shared_ptr<Receiver> receiver, std::uint64_t tag) {
    if (owed_.empty()) last_sign_ = Clock::now();
    std::uint32_t id = next_id_++;
    while (owed_.count(id) != 0) id = next_id_++;  // after four thousand million others
    owed_.emplace(id, Owed{std::move(receiver), tag, queued_});
    watch_silence();
    return id;
}

std::uint32_t Session::send(std::string packet, std::shared_ptr<Receiver> receiver, std::uint64_t tag) {
    if (state_ == State::ended) {
        if (receiver) {
            loop_->post([receiver = std::move(receiver), tag, self = shared_from_this()] { receiver->on_lost(tag, *self->end_error_, false); });
        }
        return 0;
    }
    const std::uint32_t id = register_request(std::move(receiver), tag);
    set_id(packet, id);
    queue(std::move(packet));
    return id;
}

void Session::forget(std::string packet) { send(std::move(packet), nullptr); }

void Session::send_write(BlockRef block, std::size_t begin, std::uint32_t size, std::string_view handle, std::uint64_t offset,
                         std::shared_ptr<Receiver> receiver, std::uint64_t tag) {
    if (state_ == State::ended) {
        loop_->post([receiver = std::move(receiver), tag, self = shared_from_this()] { receiver->on_lost(tag, *self->end_error_, false); });
        return;
    }
    const std::uint32_t id = register_request(std::move(receiver), tag);
    char* const at = block.data() + begin;
    const std::size_t head = put_write_head(at, id, handle, offset, size);
    const std::string_view bytes{at - head, head + size};
    queued_ += bytes.size();
    out_.push_back(Out{{}, std::move(block), bytes});
    flush_soon();
}

void Session::queue(std::string packet) {
    queued_ += packet.size();
    // The first may be half sent.
    if (out_.size() > 1 && !out_.back().block && out_.back().text.size() + packet.size() <= k_piece)
        out_.back().text += packet;
    else
        out_.push_back(Out{std::move(packet), {}, {}});
    flush_soon();
}

void Session::flush_soon() {
    if (flushing_ || taking_) return;
    flushing_ = true;
    loop_->post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || !self->flushing_) return;
        self->flushing_ = false;
        self->flush();
    });
}

void Session::flush() {
    if (flushing_) return;  // waits for the channel, or is on its way
    while (state_ != State::ended && !out_.empty()) {
        const auto whole = out_.front().view();
        const auto result = channel_->write_some(whole.substr(out_done_));
        switch (result.kind) {
            case net::IoResult::Kind::done:
                sent_ += result.size;
                out_done_ += result.size;
                last_sign_ = Clock::now();
                if (out_done_ == whole.size()) {
                    out_.pop_front();
                    out_done_ = 0;
                }
                break;
            case net::IoResult::Kind::want_read:
            case net::IoResult::Kind::want_write:
                flushing_ = true;
                channel_->wait(net::Ready::write, [weak = weak_from_this()] {
                    const auto self = weak.lock();
                    if (!self) return;
                    self->flushing_ = false;
                    self->flush();
                });
                return;
            case net::IoResult::Kind::closed: return end(closed_by_server());
            case net::IoResult::Kind::failed: return fail(*result.error);
        }
    }
}

void Session::on_readable() {
    const auto self = shared_from_this();
    taking_ = true;
    std::size_t turn = 0;
    std::optional<net::IoResult> last;
    while (state_ != State::ended) {
        const auto room = input_.room();
        auto result = channel_->read_some(room.data(), room.size());
        if (result.kind != net::IoResult::Kind::done) {
            last = std::move(result);
            break;
        }
        input_.filled(result.size);
        last_heard_ = last_sign_ = Clock::now();
        take_packets();
        turn += result.size;
        if (turn >= k_turn) break;
    }
    taking_ = false;
    if (state_ == State::ended) return;
    if (last) {
        switch (last->kind) {
            case net::IoResult::Kind::closed: return end(closed_by_server());
            case net::IoResult::Kind::failed: return fail(*last->error);
            default: break;
        }
        channel_->wait(net::Ready::read, [weak = weak_from_this()] {
            if (const auto me = weak.lock()) me->on_readable();
        });
    } else {
        loop_->post([weak = weak_from_this()] {
            const auto me = weak.lock();
            if (me && me->state_ != State::ended) me->on_readable();
        });
    }
    flush();
}

void Session::take_packets() {
    Packet packet;
    while (state_ != State::ended) {
        switch (input_.next(packet)) {
            case PacketInput::Outcome::packet: on_packet(packet); break;
            case PacketInput::Outcome::more: return;
            case PacketInput::Outcome::malformed: return fail_protocol("a packet has a length that cannot be");
        }
    }
}

void Session::on_packet(const Packet& packet) {
    if (state_ == State::greeting) return on_version(packet);
    const auto found = owed_.find(packet.id);
    if (found == owed_.end()) return fail_protocol("an answer came that nobody had asked for");
    if (packet.type < PacketType::status || packet.type == PacketType::extended) return fail_protocol("a request came in place of an answer");
    const Owed owed = std::move(found->second);
    owed_.erase(found);
    if (owed.receiver) {
        const BlockRef block = input_.block();
        owed.receiver->on_answer(owed.tag, packet, block);
    }
    if (owed_.empty() && retired_) loop_->post([self = shared_from_this()] { self->retire(); });
}

void Session::on_version(const Packet& packet) {
    if (packet.type != PacketType::version)
        return fail_protocol("the first packet is not VERSION; maybe the user's shell prints something at log-in");
    if (packet.id < 3) return fail_protocol("the server speaks version " + std::to_string(packet.id) + " of SFTP, and this library 3");
    const auto extensions = read_extensions(packet.body);
    if (!extensions) return fail_protocol("VERSION is malformed");
    for (const auto& one : *extensions) {
        for (const auto& known : k_extensions) {
            if (known.name == one.name && known.version == one.data) abilities_.*known.ability = true;
        }
    }
    state_ = State::open;
    if (abilities_.limits) {
        // Asked before anything else, and so answered before it.
        send(extended_request("limits@openssh.com", {}), std::make_shared<LimitsReceiver>([weak = weak_from_this()](const Packet& answer) {
                 const auto self = weak.lock();
                 if (!self || answer.type != PacketType::extended_reply) return;
                 const auto limits = read_limits(answer.body);
                 if (!limits) return self->fail_protocol("the answer about limits is malformed");
                 self->limits_ = *limits;
                 self->read_size_ = chunk_of(limits->read);
                 self->write_size_ = chunk_of(limits->write);
             }));
    }
    greeted();
}

void Session::greeted() {
    auto ready = std::exchange(ready_, nullptr);
    if (ready) ready(std::nullopt);
}

void Session::watch_silence() {
    if (silence_armed_ || timeout_.count() <= 0 || state_ == State::ended) return;
    if (state_ == State::open && owed_.empty()) return;
    if (last_sign_ == Clock::time_point{}) last_sign_ = Clock::now();
    silence_armed_ = true;
    silence_.arm(Deadline{last_sign_ + timeout_}, [this] { on_silence(); });
}

void Session::on_silence() {
    silence_armed_ = false;
    if (state_ == State::ended || (state_ == State::open && owed_.empty())) return;
    const auto self = shared_from_this();
    // Something of the caller's may have held up the loop: what has come meanwhile is looked at before anybody is blamed.
    if (Clock::now() - last_sign_ >= timeout_) on_readable();
    if (state_ == State::ended || Clock::now() - last_sign_ < timeout_) return watch_silence();
    const Subject subject{label_, server_, "the SFTP session", {}};
    const std::string what = "the server has been silent for " + std::to_string(timeout_.count()) + " ms (option timeout) while " +
                             (state_ == State::greeting ? std::string{"its version is"}
                                                        : std::to_string(owed_.size()) + (owed_.size() == 1 ? " answer is" : " answers are")) +
                             " owed";
    Error error = sftp_error(subject, SftpErrc::session, Reason::timeout, what);
    end(make_error(Errc::timeout, std::string{error.message()})
            .with_phase(Phase::protocol)
            .with_connection(label_)
            .with_retryable(true)
            .with_spoils_connection(true));
}

void Session::fail(const Error& error) {
    if (error.code() == make_error_code(SftpErrc::session) || error.code().category() == sftp_category()) return end(error);
    Error told = broken(error.reason() == Reason::none ? Reason::reset : error.reason(), error.message());
    end(told);
}

void Session::fail_protocol(std::string_view what) {
    const Subject subject{label_, server_, "the SFTP session", {}};
    end(sftp_error(subject, SftpErrc::protocol, Reason::bad_answer, what).with_spoils_connection(true));
}

void Session::leave_transfer() {
    --sharers_->transfers;
    if (--transfers_ > 0) return;
    input_pool_->trim();
    if (retired_ && state_ != State::ended) loop_->post([self = shared_from_this()] { self->retire(); });
}

void Session::retire() {
    retired_ = true;
    // A transfer that owes nothing just now may wait for its caller.
    if (owed_.empty() && transfers_ == 0) end(broken(Reason::closed, "it was given up"));
}

void Session::close() { end(broken(Reason::closed, "this side has closed it")); }

void Session::end(const Error& error) {
    if (state_ == State::ended) return;
    const auto self = shared_from_this();
    state_ = State::ended;
    end_error_ = error;
    silence_.cancel();
    channel_->cancel_waits();
    // Not from inside its own callback.
    loop_->post([channel = std::shared_ptr<ssh::Channel>{std::move(channel_)}] {});
    out_.clear();
    std::vector<std::pair<std::uint32_t, Owed>> lost(std::make_move_iterator(owed_.begin()), std::make_move_iterator(owed_.end()));
    owed_.clear();
    std::sort(lost.begin(), lost.end(), [](const auto& a, const auto& b) { return a.second.position < b.second.position; });
    auto ready = std::exchange(ready_, nullptr);
    auto ended = std::exchange(ended_, nullptr);
    // Whoever is told asks for a new session, which must not be this one.
    if (ended) ended();
    if (ready) ready(error);
    for (auto& [id, one] : lost) {
        if (one.receiver) one.receiver->on_lost(one.tag, error, one.position < sent_);
    }
}

}  // namespace qconn::sftp
