// SPDX-License-Identifier: Apache-2.0
#include "websocket/ping.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn::websocket {
namespace {

constexpr std::string_view k_ping_payload = "qconn";
constexpr std::uint16_t k_going_away = 1001;

class WebSocketPing final : public Dialogue {
public:
    WebSocketPing(std::shared_ptr<const Settings> settings, PingProof proof)
        : settings_{std::move(settings)}, proof_{proof}, handshake_{settings_, settings_->base, true, false} {}

    Step begin(std::string& out) override { return handshake_.begin(out); }

    Step feed(std::string_view input, bool closed, std::string& out) override {
        Step step;
        if (stage_ == Stage::handshake) {
            step = handshake_.feed(input, closed, out);
            if (step.want != Want::done) return step;
            evidence_ = handshake_.evidence();
            if (const std::string& chosen = handshake_.agreed().subprotocol; !chosen.empty()) evidence_ += "; subprotocol " + chosen;
            if (handshake_.agreed().deflate.enabled) evidence_ += "; compressed";
            if (proof_ == PingProof::handshake) {
                out += control_frame(Opcode::close, close_payload(k_going_away, {}));
                return step;
            }
            step.want = Want::read;
            out += control_frame(Opcode::ping, k_ping_payload);
            stage_ = Stage::pong;
        }
        std::string_view rest = input.substr(step.used);
        while (step.want == Want::read) {
            const FrameReader::Found found = frames_.feed(rest);
            if (found == FrameReader::Found::nothing) break;
            if (found == FrameReader::Found::broken) fail(step, "what came after the handshake is no WebSocket frame", Reason::bad_answer);
            if (found == FrameReader::Found::control) take(step, out);
        }
        step.used = input.size() - rest.size();
        if (step.want == Want::read && closed && stage_ == Stage::close) step.want = Want::done;  // it has closed, be it without a word
        return step;
    }

    std::string evidence() const override { return evidence_; }
    std::string_view awaited() const noexcept override {
        switch (stage_) {
            case Stage::handshake: return handshake_.awaited();
            case Stage::pong: return "the pong to a ping";
            case Stage::close: break;
        }
        return "the answer to the close frame";
    }

private:
    enum class Stage : std::uint8_t { handshake, pong, close };

    void fail(Step& step, const std::string& what, Reason reason) const {
        step.want = Want::failed;
        step.error = make_websocket_error(reason == Reason::closed ? WebSocketErrc::closed : WebSocketErrc::protocol,
                                          "the ping of " + shown_target(settings_->base) + " failed: " + what, Phase::protocol, reason,
                                          settings_->options.label)
                         .with_retryable(true);
    }
    void take(Step& step, std::string& out) {
        const std::string& payload = frames_.payload();
        switch (frames_.opcode()) {
            case Opcode::pong:
                if (stage_ != Stage::pong || payload != k_ping_payload) return;
                evidence_ += "; pong";
                out += control_frame(Opcode::close, close_payload(k_going_away, {}));
                stage_ = Stage::close;
                return;
            case Opcode::ping: out += control_frame(Opcode::pong, payload); return;
            case Opcode::close: {
                if (stage_ == Stage::close) {
                    step.want = Want::done;
                    return;
                }
                std::uint16_t code = 1005;
                if (payload.size() >= 2) code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8U | static_cast<unsigned char>(payload[1]));
                const std::string reason = payload.size() > 2 ? payload.substr(2) : std::string{};
                fail(step, "the server closed the connection with " + shown_close(code, settings_->redact(reason)), Reason::closed);
                return;
            }
            default: return;
        }
    }

    const std::shared_ptr<const Settings> settings_;
    const PingProof proof_;
    HandshakeDialogue handshake_;
    FrameReader frames_;
    Stage stage_{Stage::handshake};
    std::string evidence_;
};

}  // namespace

std::unique_ptr<Dialogue> make_websocket_ping(std::shared_ptr<const Settings> settings, PingProof proof) {
    return std::make_unique<WebSocketPing>(std::move(settings), proof);
}

}  // namespace qconn::websocket
