// SPDX-License-Identifier: Apache-2.0
/// What an eFTL server does with frames, without I/O: for TestEftlServer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/testing/test_eftl_server.hpp>

namespace qconn::testing {

/// Where a broker's frames go. Links are numbers above 0.
class EftlOutlet {
public:
    virtual ~EftlOutlet() = default;
    virtual void send(std::uint64_t link, const std::string& frame) = 0;
    /// The link is over for the broker: no lost() follows.
    virtual void close(std::uint64_t link, int code, const std::string& reason) = 0;
};

/// @note One thread at a time.
class EftlBroker {
public:
    EftlBroker(TestEftlServerOptions options, EftlFaults faults, EftlOutlet& outlet);

    EftlFaults faults;

    void received(std::uint64_t link, std::string_view text);
    /// Its session stays.
    void lost(std::uint64_t link);
    /// Those that are logged in.
    std::vector<std::uint64_t> links() const;
    void forget_sessions();

    void publish(const EftlMessage& message);
    /// @returns the number of the request
    std::int64_t request(const EftlMessage& message);
    /// Of a request of our own. Forgets it where it has come, or `give_up`.
    std::optional<EftlMessage> take_reply(std::int64_t request, bool give_up);

    using Reply = std::function<EftlMessage(const EftlMessage&)>;
    void answer(EftlMatcher matcher, Reply reply);
    /// A request that a function of answer() has to be asked about, which may take its time: then replied() follows.
    struct Asked {
        std::int64_t request;
        EftlMessage message;
        std::shared_ptr<const Reply> reply;
    };
    std::vector<Asked> take_asked() { return std::exchange(asked_, {}); }
    void replied(std::int64_t request, const EftlMessage& reply);

    std::vector<EftlMessage> messages;
    std::vector<EftlMessage> acknowledged;
    std::size_t log_ins{0};
    std::map<std::pair<std::string, std::string>, EftlMessage> maps;

    std::vector<TestEftlSubscription> subscriptions() const;
    std::size_t waiting(std::string_view durable) const;

private:
    /// What was published, once for all who get it.
    struct Published {
        std::int64_t number{0};
        EftlMessage message;
        std::string json;
        std::int64_t request{0};  // 0: it is none
    };
    struct Delivery {
        std::shared_ptr<const Published> what;
        std::int64_t count{0};
    };
    struct Reader {
        std::string client_id;
        std::string id;
    };
    /// Where messages wait: of one subscription, or of a durable.
    struct Store {
        EftlMatcher matcher;
        std::string durable;  // empty: it goes with its subscription
        EftlDurable type{EftlDurable::standard};
        std::string key;
        std::string client_id;  // whose it is; empty: everybody's
        std::deque<Delivery> waiting;
        std::deque<Reader> readers;  // whose turn it is comes first
    };
    struct Open {
        std::int64_t seq;
        Delivery what;
    };
    struct Subscribed {
        EftlSubscription what;
        std::shared_ptr<Store> store;
        std::int64_t made{0};
        bool asked{false};  // on this link
        bool stopped{false};
        std::deque<Open> open;  // delivered and not acknowledged; by rising seq
    };
    struct Session {
        std::uint64_t link{0};  // 0: none
        std::string token;
        std::size_t max_pending_acks{0};
        std::int64_t last_seq{0};
        std::size_t open{0};
        std::map<std::string, Subscribed> subscriptions;
        std::map<std::int64_t, std::string> answers;  // the last ones, for what is sent again
    };
    using Sessions = std::map<std::string, Session>;  // by client id
    struct Requested {
        std::string client_id;  // empty: by ourselves
        std::int64_t seq{0};
        std::optional<EftlMessage> reply;
    };

    void on_log_in(std::uint64_t link, const EftlMessage& frame);
    void on_frame(Sessions::iterator session, std::int64_t op, const EftlMessage& frame);
    void on_subscribe(Sessions::iterator session, const EftlMessage& frame);
    void on_unsubscribe(Sessions::iterator session, const EftlMessage& frame);
    void on_acknowledge(Session& session, const EftlMessage& frame);
    void on_publish(Sessions::iterator session, const EftlMessage& frame);
    void on_request(Sessions::iterator session, const EftlMessage& frame);
    void on_reply(Session& session, const EftlMessage& frame);
    void on_map(Session& session, std::int64_t op, const EftlMessage& frame);
    void on_start_or_stop(Session& session, bool stop, const EftlMessage& frame);

    Sessions::iterator session_of(std::uint64_t link);
    void end_session(Sessions::iterator session);
    /// Messages that one has and did not acknowledge go back to where they waited.
    void give_back(Session& session, Subscribed& one);
    void leave(const std::string& client_id, const std::string& id, Subscribed& one);
    void take_over(Store& store);
    void remove(const std::shared_ptr<Store>& store);

    void note(const EftlMessage& message, std::int64_t request);
    void route(const EftlMessage& message, std::int64_t request);
    /// Delivers what waits there to who may have more.
    void pump(Store& store);
    void pump_all(Session& session);
    void deliver(Session& session, const std::string& id, Subscribed& one, Delivery what);
    void send_event(const Session& session, const std::string& id, std::int64_t seq, const Delivery& what);
    /// What a client waits for under that number.
    void answer_to(Session& session, const std::optional<std::int64_t>& seq, int op, const std::optional<EftlRefusal>& refusal,
                   const EftlMessage* body = nullptr, std::string_view body_name = "body");

    TestEftlServerOptions options_;
    EftlOutlet& outlet_;
    Sessions sessions_;
    std::vector<std::shared_ptr<Store>> stores_;
    std::map<std::int64_t, Requested> requests_;
    std::vector<std::pair<EftlMatcher, std::shared_ptr<const Reply>>> answers_;
    std::vector<Asked> asked_;
    std::int64_t last_number_{0};  // of messages
    std::int64_t last_request_{0};
    std::int64_t last_made_{0};  // of subscriptions
    std::int64_t last_client_{0};
    std::int64_t last_token_{0};
};

}  // namespace qconn::testing
