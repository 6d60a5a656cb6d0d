// SPDX-License-Identifier: Apache-2.0
#include "amqp/pumped.hpp"

#include <exception>
#include <optional>
#include <utility>

#include "amqp/connection.hpp"
#include "amqp/message_view.hpp"
#include "amqp/outcome.hpp"

namespace qconn::amqp {

namespace {

/// A message that was put by: as the one that came, with an answer that is given later in any case.
class KeptDelivery final : public AmqpDelivery {
public:
    explicit KeptDelivery(AmqpDelivery& came)
        : link_{came.link()},
          session_{came.session()},
          tag_{came.tag()},
          bytes_{came.bytes()},
          format_{came.message_format()},
          settled_{came.is_settled()},
          answer_{came.answer_later()},
          view_{bytes_} {}

    const std::string& link() const noexcept override { return link_; }
    const std::string& session() const noexcept override { return session_; }
    bool is_settled() const noexcept override { return settled_; }
    std::string_view tag() const noexcept override { return tag_; }
    std::uint32_t message_format() const noexcept override { return format_; }
    std::string_view bytes() const noexcept override { return bytes_; }
    std::string_view text() const override { return view_.text(); }
    AmqpMessage message() const override { return view_.message(); }
    void set_outcome(AmqpOutcome outcome) override { outcome_ = std::move(outcome); }
    std::function<void(AmqpOutcome)> answer_later() override {
        return std::exchange(answer_, [](const AmqpOutcome&) {});
    }

    void finish(bool calm) { answer_(calm ? std::move(outcome_) : not_handled()); }

private:
    const std::string link_;
    const std::string session_;
    const std::string tag_;
    const std::string bytes_;
    const std::uint32_t format_;
    const bool settled_;
    std::function<void(AmqpOutcome)> answer_;
    MessageView view_;
    AmqpOutcome outcome_{AmqpOutcome::State::accepted};
};

std::optional<Error> copy_of(const Error* error) { return error != nullptr ? std::optional{*error} : std::nullopt; }
const Error* pointer_to(const std::optional<Error>& error) noexcept { return error ? &*error : nullptr; }

}  // namespace

template <class Call>
bool Pump::guarded(Call&& call) const noexcept {
    const auto threw = [this](const char* what) {
        if (const auto connection = connection_.lock()) connection->callback_threw(what);
    };
    try {
        call();
        return true;
    } catch (const std::exception& e) { threw(e.what()); } catch (...) {
        threw("something that is no exception");
    }
    return false;
}

template <class Call>
void Pump::post(Call call) {
    source_.post([self = shared_from_this(), call = std::move(call)]() mutable { static_cast<void>(self->guarded(call)); });
}

AmqpHandlers Pump::pumped(AmqpHandlers handlers) {
    const auto user = std::make_shared<const AmqpHandlers>(std::move(handlers));
    const auto self = shared_from_this();
    AmqpHandlers out;
    if (user->on_connect) {
        out.on_connect = [self, user](const AmqpInfo& info) { self->post([user, info] { user->on_connect(info); }); };
    }
    if (user->on_disconnect) {
        out.on_disconnect = [self, user](const Error* error, bool again) {
            self->post([user, error = copy_of(error), again] { user->on_disconnect(pointer_to(error), again); });
        };
    }
    if (user->on_link_error) {
        out.on_link_error = [self, user](const std::string& link, const Error& error) {
            self->post([user, link, error] { user->on_link_error(link, error); });
        };
    }
    if (user->on_frame) {
        out.on_frame = [self, user](bool sent, std::uint16_t channel, std::string_view performative, std::string_view body, std::size_t payload) {
            self->post([user, sent, channel, performative = std::string{performative}, body = std::string{body}, payload] {
                user->on_frame(sent, channel, performative, body, payload);
            });
        };
    }
    return out;
}

AmqpSenderOptions Pump::pumped(AmqpSenderOptions options) {
    const auto self = shared_from_this();
    if (options.on_outcome) {
        options.on_outcome = [self, user = std::make_shared<const decltype(options.on_outcome)>(std::move(options.on_outcome))](
                                 std::uint64_t number, const AmqpOutcome& outcome, const Error* error) {
            self->post([user, number, outcome, error = copy_of(error)] { (*user)(number, outcome, pointer_to(error)); });
        };
    }
    if (options.on_ready) {
        options.on_ready = [self, user = std::make_shared<const std::function<void()>>(std::move(options.on_ready))] {
            self->post([user] { (*user)(); });
        };
    }
    return options;
}

AmqpReceiverOptions Pump::pumped(AmqpReceiverOptions options) {
    if (!options.on_message) return options;
    options.on_message = [self = shared_from_this(),
                          user = std::make_shared<const decltype(options.on_message)>(std::move(options.on_message))](AmqpDelivery& delivery) {
        const auto kept = std::make_shared<KeptDelivery>(delivery);
        self->post([self, user, kept] { kept->finish(self->guarded([&] { (*user)(*kept); })); });
    };
    return options;
}

}  // namespace qconn::amqp
