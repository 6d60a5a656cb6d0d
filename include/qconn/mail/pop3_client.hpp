// SPDX-License-Identifier: Apache-2.0
/// Mail from a mailbox on a POP3 server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/mail/pop3_error.hpp>
#include <qconn/mail/pop3_options.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

/// What the server says that it can do (RFC 2449). A value type.
struct Pop3Capabilities {
    /// As they came: "SASL PLAIN XOAUTH2". Empty: it does not know CAPA.
    std::vector<std::string> lines;
    bool top{false};
    bool uidl{false};
    bool user{false};
    bool stls{false};
    bool pipelining{false};
    bool resp_codes{false};
    std::vector<std::string> sasl;  ///< in upper case
    /// Seconds between two log-ins.
    std::optional<std::uint32_t> login_delay;
    /// Days until messages are deleted; none: never, or nothing is said.
    std::optional<std::uint32_t> expire;
    std::string implementation;
};

/// How many messages there are, without those that are marked as deleted, and their size.
struct Pop3Stat {
    std::uint32_t messages{0};
    std::uint64_t size{0};
    friend bool operator==(const Pop3Stat&, const Pop3Stat&) = default;
};

/// A message of the mailbox. Numbers are good for one session, unique ids for ever.
struct Pop3Entry {
    std::uint32_t number{0};
    std::uint64_t size{0};
    /// Empty where the server has none (UIDL is optional).
    std::string uid;
    friend bool operator==(const Pop3Entry&, const Pop3Entry&) = default;
};

/// What a commit has brought.
struct Pop3Committed {
    /// Messages that were marked.
    std::size_t deleted{0};
    /// The server's words.
    std::string answer;
};

/// A session that one caller holds: the mailbox is locked for others, messages keep their numbers, and what is marked as deleted is deleted by
/// commit() only. However else it ends, be it by a crash of this process, nothing is deleted.
///
/// Move-only. Destroying it leaves everything as it was, and so does the end of the client, which ends its calls as cancelled.
/// @note One call at a time; any thread. A second one meanwhile is refused (POP3-IN-USE). What fails with TIMEOUT or CANCELLED, or because the
/// connection broke, ends the session: POP3-SESSION-OVER is what further calls get. What the server refuses does not.
class QCONN_API Pop3Session {
public:
    Pop3Session() noexcept = default;
    Pop3Session(Pop3Session&&) noexcept = default;
    Pop3Session& operator=(Pop3Session&& other) noexcept;
    ~Pop3Session();

    /// Not committed, closed or broken so far.
    bool is_open() const noexcept;
    /// What was marked and not committed.
    std::vector<std::uint32_t> marked() const;

    Pop3Capabilities capabilities(Deadline deadline = {});
    Pop3Stat stat(Deadline deadline = {});
    /// Number and size of each, unique ids too where the server has them. Without those that are marked as deleted.
    std::vector<Pop3Entry> list(Deadline deadline = {});
    /// Number and unique id of each; sizes are 0. @throws Error POP3-SERVER-ERROR, reason unsupported, where the server has none
    std::vector<Pop3Entry> uidl(Deadline deadline = {});
    /// The headers, and so many lines of the body. @throws Error POP3-NO-SUCH-MESSAGE
    std::string top(std::uint32_t number, std::uint32_t lines = 0, Deadline deadline = {});
    /// The whole message, lines ending as the server sends them (CRLF). @throws Error POP3-NO-SUCH-MESSAGE, POP3-LIMIT-ERROR
    std::string retrieve(std::uint32_t number, Deadline deadline = {});
    /// Piece by piece, whatever its size. @returns bytes
    std::uint64_t retrieve(std::uint32_t number, ByteSink& sink, Deadline deadline = {});
    /// Marks it; commit() deletes it. @throws Error POP3-NO-SUCH-MESSAGE
    void mark_deleted(std::uint32_t number, Deadline deadline = {});
    /// Several at once. @throws Error POP3-NO-SUCH-MESSAGE for the first that is none; the others are marked all the same
    void mark_deleted(const std::vector<std::uint32_t>& numbers, Deadline deadline = {});
    /// Takes all marks back.
    void reset(Deadline deadline = {});
    void noop(Deadline deadline = {});

    /// Deletes what is marked (QUIT) and waits until the server has said so. The session is over then.
    /// @throws Error POP3-COMMIT-UNKNOWN where the connection ended, or time was over, before the answer: log in again and compare unique ids.
    /// POP3-SERVER-ERROR where the server says that it could not delete all (RFC 1939 section 6)
    Pop3Committed commit(Deadline deadline = {});
    /// Ends the session without deleting anything. Waits for nothing.
    void close() noexcept;

    Operation async_capabilities(Deadline deadline, Callback<Pop3Capabilities> callback);
    Operation async_stat(Deadline deadline, Callback<Pop3Stat> callback);
    Operation async_list(Deadline deadline, Callback<std::vector<Pop3Entry>> callback);
    Operation async_uidl(Deadline deadline, Callback<std::vector<Pop3Entry>> callback);
    Operation async_top(std::uint32_t number, std::uint32_t lines, Deadline deadline, Callback<std::string> callback);
    Operation async_retrieve(std::uint32_t number, Deadline deadline, Callback<std::string> callback);
    Operation async_retrieve(std::uint32_t number, std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<std::uint64_t> callback);
    Operation async_mark_deleted(std::vector<std::uint32_t> numbers, Deadline deadline, Callback<void> callback);
    Operation async_reset(Deadline deadline, Callback<void> callback);
    Operation async_noop(Deadline deadline, Callback<void> callback);
    Operation async_commit(Deadline deadline, Callback<Pop3Committed> callback);

private:
    friend class Pop3Client;
    struct Impl;
    explicit Pop3Session(std::shared_ptr<Impl> impl) noexcept;
    std::shared_ptr<Impl> impl_;
};

/// A message on its way to a handler.
struct Pop3Message {
    Pop3Entry entry;
    /// As the server sent it. The handler may move it away: `parse_mail(std::move(message.text))`.
    std::string text;
};

/// What a handler has done with a message.
enum class Pop3Verdict : std::uint8_t {
    taken,  ///< it is safe elsewhere: it is deleted with the next commit
    leave,  ///< it stays in the mailbox, and is not offered again by this call
    stop,   ///< it stays, and the call ends when what was taken is committed
};
/// Called for one message after the other, by the calling thread of a blocking call, by a thread of the runtime of an asynchronous one, which it must
/// not hold up. It must not call the client, whose only session it works in. What it throws ends the call, after what was taken before is committed.
using Pop3Handler = std::function<Pop3Verdict(Pop3Message& message)>;

/// What is done with a message before it is retrieved.
enum class Pop3Choice : std::uint8_t {
    retrieve,
    leave,   ///< it stays in the mailbox: it is known already, or too large
    remove,  ///< it is deleted without being retrieved: it was taken by an earlier call that did not come to its commit
};

struct Pop3ProcessOptions {
    /// Messages that are taken before they are committed, by the end of a session; the next begins then. At least 1. What was taken and not committed
    /// when the process dies is offered again. One session for all where the server has no unique ids.
    std::size_t batch{100};
    /// Asked for each message. Empty: all are retrieved. Here what is known by its unique id is told apart.
    std::function<Pop3Choice(const Pop3Entry& entry)> choose{};
    /// Taken messages at most; 0: all that are there.
    std::size_t most{0};
    /// How often, without any message in between, a connection that broke is made anew. What was taken by then is not offered again but deleted.
    /// Only where the server has unique ids.
    std::size_t reconnects{2};
};

/// What Pop3Client::process has done.
struct Pop3Processed {
    std::size_t taken{0};      ///< by the handler; all of them are committed
    std::size_t left{0};       ///< by the handler or `choose`
    std::size_t removed{0};    ///< without being retrieved
    std::size_t too_large{0};  ///< for Pop3Options::max_mail_size: they stay
    std::uint64_t bytes{0};    ///< that were retrieved
    std::size_t sessions{0};
};

/// A mailbox (RFC 1939, 2449, 2595, 3206, 5034).
///
/// Servers let one session at a time into a mailbox, and so does this client: who wants a second waits for the first to end, up to connect_timeout,
/// and is then told who holds it (POP3-IN-USE). Each function here that is no open() has a session of its own, which it ends with QUIT; as messages
/// have numbers for the time of a session only, those of open() or unique ids are what deleting should go by.
///
/// For taking mail out of a mailbox without losing any: process().
///
/// @note Thread-safe. Blocking calls do their I/O on the calling thread, asynchronous ones on a thread of the runtime, where sinks and handlers are
/// called too. Blocking calls are refused on the runtime's I/O threads. Destroying the client ends all calls as cancelled, and its session.
class QCONN_API Pop3Client final : public Client, public DialogueSource {
public:
    /// Nothing is connected yet. @throws Error POP3-URL-ERROR, POP3-CONFIG-ERROR, TLS-OPTION-ERROR
    explicit Pop3Client(Pop3Options options, Runtime runtime = {});
    ~Pop3Client() override;

    std::string_view label() const noexcept override;
    const Pop3Options& options() const noexcept;
    void set_dialogue_listener(DialogueListener listener) override;

    /// Connects and logs in.
    /// @param holder  what others are told who have to wait: "the import of orders"
    Pop3Session open(Deadline deadline = {}, std::string_view holder = {});
    Operation async_open(Deadline deadline, Callback<Pop3Session> callback, std::string holder = {});

    /// Retrieves each message, gives it to the handler, and deletes what that has taken: `batch` of them at a time, by commits. A message is deleted
    /// only after the handler has taken it; the process may die at any moment, and no message is lost. It may be offered again.
    ///
    /// Where a connection breaks, or the answer to a commit does not come, it logs in again, finds by the unique ids what is still there of that
    /// which the handler has taken, and deletes that without offering it again.
    /// @returns when no message is left, `most` are taken, or the handler says stop; everything that was taken is committed
    /// @throws Error whatever ended it; what is taken and perhaps not deleted is in Pop3ErrorDetail::uncommitted where the server has unique ids.
    /// What the handler has thrown, after the commit of what it had taken
    Pop3Processed process(const Pop3Handler& handler, const Pop3ProcessOptions& options = {}, Deadline deadline = {});
    Operation async_process(Pop3Handler handler, Pop3ProcessOptions options, Deadline deadline, Callback<Pop3Processed> callback);

    Pop3Capabilities capabilities(Deadline deadline = {});
    Pop3Stat stat(Deadline deadline = {});
    std::vector<Pop3Entry> list(Deadline deadline = {});
    std::vector<Pop3Entry> uidl(Deadline deadline = {});
    std::string top(std::uint32_t number, std::uint32_t lines = 0, Deadline deadline = {});
    std::string retrieve(std::uint32_t number, Deadline deadline = {});
    std::uint64_t retrieve(std::uint32_t number, ByteSink& sink, Deadline deadline = {});
    void noop(Deadline deadline = {});
    /// Deletes all of these or, where one of them is not there, none. @throws Error POP3-NO-SUCH-MESSAGE
    Pop3Committed remove(const std::vector<std::uint32_t>& numbers, Deadline deadline = {});
    /// The same by unique ids, which mean the same message whatever others have deleted meanwhile.
    Pop3Committed remove_uids(const std::vector<std::string>& uids, Deadline deadline = {});

    Operation async_capabilities(Deadline deadline, Callback<Pop3Capabilities> callback);
    Operation async_stat(Deadline deadline, Callback<Pop3Stat> callback);
    Operation async_list(Deadline deadline, Callback<std::vector<Pop3Entry>> callback);
    Operation async_uidl(Deadline deadline, Callback<std::vector<Pop3Entry>> callback);
    Operation async_top(std::uint32_t number, std::uint32_t lines, Deadline deadline, Callback<std::string> callback);
    Operation async_retrieve(std::uint32_t number, Deadline deadline, Callback<std::string> callback);
    Operation async_retrieve(std::uint32_t number, std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<std::uint64_t> callback);
    Operation async_noop(Deadline deadline, Callback<void> callback);
    Operation async_remove(std::vector<std::uint32_t> numbers, Deadline deadline, Callback<Pop3Committed> callback);
    Operation async_remove_uids(std::vector<std::string> uids, Deadline deadline, Callback<Pop3Committed> callback);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn
