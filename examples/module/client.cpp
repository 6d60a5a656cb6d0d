// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <mutex>
#include <utility>

#include "connection.hpp"
#include "options.hpp"

using qconn::Deadline;

namespace redis {

namespace {

class Client : public RedisClient {
public:
    explicit Client(RedisOptions options) : options_{std::move(options)} {}
    std::string_view label() const noexcept override { return options_.label; }

    std::optional<std::string> get(std::string_view key, Deadline deadline) override {
        Reply reply = call({"GET", key}, deadline);
        if (reply.kind == Reply::Kind::nothing) return std::nullopt;
        return std::move(reply.text);
    }
    void set(std::string_view key, std::string_view value, Deadline deadline) override { call({"SET", key, value}, deadline); }

private:
    Reply call(std::initializer_list<std::string_view> words, Deadline deadline) {
        const std::lock_guard lock{mutex_};
        const std::string what = std::string{*words.begin()} + " " + std::string{*(words.begin() + 1)};
        try {
            if (!connection_) connect(deadline);
            std::string command;
            put_command(command, words);
            Reply reply = connection_->exchange(command, limit(deadline));
            if (reply.kind == Reply::Kind::error) throw failure(reply, what).with_spoils_connection(false);
            return reply;
        } catch (qconn::Error& error) {
            if (error.spoils_connection()) connection_.reset();
            throw error.with_connection(options_.label);
        }
    }
    void connect(Deadline deadline) {
        auto connection = std::make_unique<Connection>(options_.host, options_.port, limit(deadline));
        std::string login;
        if (put_login(login, options_) > 0) {
            const Reply reply = connection->exchange(login, limit(deadline));
            qconn::wipe(login);
            if (reply.kind == Reply::Kind::error) throw failure(reply, "logging in");
        }
        if (options_.database != 0) {
            std::string select;
            put_command(select, {"SELECT", std::to_string(options_.database)});
            if (const Reply reply = connection->exchange(select, limit(deadline)); reply.kind == Reply::Kind::error)
                throw failure(reply, "selecting database " + std::to_string(options_.database));
        }
        connection_ = std::move(connection);
    }
    Deadline limit(Deadline deadline) const { return earlier(deadline, Deadline{options_.timeout}); }

    const RedisOptions options_;
    std::mutex mutex_;
    std::unique_ptr<Connection> connection_;  // guarded by mutex_
};

}  // namespace

int put_login(std::string& out, const RedisOptions& options) {
    if (options.password.empty()) return 0;
    if (options.username.empty())
        put_command(out, {"AUTH", options.password.reveal()});
    else
        put_command(out, {"AUTH", options.username, options.password.reveal()});
    return 1;
}

std::shared_ptr<RedisClient> make_client(RedisOptions options) { return std::make_shared<Client>(std::move(options)); }

}  // namespace redis
