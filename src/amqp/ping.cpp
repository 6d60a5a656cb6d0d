// SPDX-License-Identifier: Apache-2.0
#include "amqp/ping.hpp"

#include <optional>
#include <utility>

#include "amqp/amqp_error.hpp"
#include "amqp/engine.hpp"
#include "amqp/outcome.hpp"
#include "base/text.hpp"

namespace qconn::amqp {
namespace {

EngineOptions ping_options(const Settings& settings) {
    EngineOptions out = settings.engine;
    out.container_id = random_name("qconn-ping-");
    out.hostname = settings.options.virtual_host.empty() ? settings.endpoints.front().host : settings.options.virtual_host;
    out.idle_time_out = {};  // it is over long before, and nobody ticks
    return out;
}

class AmqpPing final : public Dialogue, private Host {
public:
    AmqpPing(std::shared_ptr<const Settings> settings, PingProof proof)
        : settings_{std::move(settings)}, proof_{proof}, engine_{ping_options(*settings_), static_cast<Host&>(*this)} {}

    Step begin(std::string& out) override {
        engine_.start({});
        take_output(out);
        return {};
    }

    Step feed(std::string_view input, bool closed, std::string& out) override {
        Step step;
        heard_ = heard_ || !input.empty();
        step.used = engine_.received(input, {});
        // A peer that refuses a connection opens it and closes it at once (2.4.3), be it in the same read or in the next: only its answer to our
        // close says that it has let us in.
        if (opened_ && !closing_ && (proof_ == PingProof::open || session_ended_)) close();
        if (opened_ && !closing_ && !begun_) begin_session();
        engine_.flush();
        if (closed && !over_) engine_.received_end();
        take_output(out);
        if (!over_) return step;
        step.want = error_ ? Want::failed : Want::done;
        step.error = std::move(error_);
        return step;
    }

    std::string evidence() const override { return evidence_; }
    std::string_view awaited() const noexcept override {
        if (!heard_) return "the AMQP header";
        if (closing_) return "the answer to the close";
        if (opened_) return "the answer to the begin of a session";
        return engine_.phase() == Phase::auth ? "the answer to the log-in" : "the answer to the open";
    }
    Phase phase() const noexcept override { return engine_.phase(); }

private:
    void take_output(std::string& out) {
        const std::string_view bytes = engine_.output();
        out.append(bytes);
        if (!bytes.empty()) engine_.written(bytes.size(), {});
    }
    void close() {
        closing_ = true;
        engine_.close();
    }
    void begin_session() {
        begun_ = true;
        const SessionOptions how{settings_->options.incoming_window, settings_->options.outgoing_window,
                                 settings_->options.max_links_per_session - 1};
        const Result<std::uint32_t> number = engine_.begin(how);
        if (number) return;
        fail(number.error());
        close();
    }
    void fail(Error error) {
        if (!error_) error_ = std::move(error);
    }

    void on_open(const Open& remote) override {
        opened_ = true;
        const AmqpMap properties = remote.has(Open::i_properties) ? map_of(remote.properties) : AmqpMap{};
        evidence_ = shown_peer(remote.container_id, properties, remote.max_frame_size);
    }
    void on_begun(std::uint32_t session) override { engine_.end(session); }
    void on_ended(std::uint32_t, const AmqpCondition& why) override {
        session_ended_ = true;
        if (why.name.empty())
            evidence_ += "; session begun and ended";
        else
            fail(amqp_error(AmqpErrc::session, "the peer ended the session", why));
    }
    void on_end(const Error* why) override {
        over_ = true;
        if (why != nullptr) return fail(*why);
        const AmqpCondition& reason = engine_.close_reason();
        if (!reason.name.empty()) {
            const bool redirect = reason.name == amqp_condition::k_connection_redirect;
            fail(amqp_error(redirect ? AmqpErrc::redirect : AmqpErrc::connection, "the peer opened the connection and closed it at once", reason));
        }
    }
    void on_attached(std::uint32_t, const Attach&) override {}
    void on_detached(std::uint32_t, bool, const AmqpCondition&) override {}
    void on_sendable(std::uint32_t) override {}
    void on_drained(std::uint32_t) override {}
    Answer on_delivery(std::uint32_t, const Incoming&) override { return Answer::later; }
    void on_outcome(std::uint32_t, std::uint64_t, const Outcome&) override {}

    const std::shared_ptr<const Settings> settings_;
    const PingProof proof_;
    Engine engine_;
    bool heard_{false};
    bool opened_{false};
    bool begun_{false};
    bool session_ended_{false};
    bool closing_{false};
    bool over_{false};
    std::string evidence_;
    std::optional<Error> error_;
};

}  // namespace

std::string shown_peer(std::string_view container_id, const AmqpMap& properties, std::uint32_t max_frame_size) {
    const auto shown_text = [](std::string_view text) { return text::printable(text::shorten(text, 60)); };
    const AmqpValue all{properties};
    const auto text_of = [&](std::string_view key) {
        const AmqpValue* const value = all.find(key);
        return value == nullptr ? std::string_view{} : value->text().value_or(std::string_view{});
    };
    std::string out = "opened by \"" + shown_text(container_id) + '"';
    if (const std::string_view product = text_of("product"); !product.empty()) {
        out += " (" + shown_text(product);
        if (const std::string_view version = text_of("version"); !version.empty()) out += ' ' + shown_text(version);
        out += ')';
    }
    if (max_frame_size != k_uint_max) out += ", frames up to " + std::to_string(max_frame_size) + " bytes";
    return out;
}

std::unique_ptr<Dialogue> make_amqp_ping(std::shared_ptr<const Settings> settings, PingProof proof) {
    return std::make_unique<AmqpPing>(std::move(settings), proof);
}

}  // namespace qconn::amqp
