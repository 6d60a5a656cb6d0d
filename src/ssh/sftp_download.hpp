// SPDX-License-Identifier: Apache-2.0
/// The bytes of an open file, many READs at a time, put in order.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ssh/sftp_call.hpp"
#include "ssh/sftp_session.hpp"

namespace qconn::sftp {

/// A status that is no success, kept beyond its packet.
struct Refusal {
    StatusCode code{};
    std::string words{};
    Status status() const noexcept { return {code, words}; }
};

/// Where the bytes of a download go. On the loop's thread.
class Drain {
public:
    virtual ~Drain() = default;
    /// What the server says of its size, before anything else. What it throws ends the transfer; likewise below.
    virtual void expect(std::optional<std::uint64_t> size) = 0;
    /// The next bytes.
    virtual void take(Slice slice) = 0;
    /// How many have been taken from here, so that others may come.
    virtual std::uint64_t taken() const noexcept = 0;
    /// Download::pump is to be called when taken() grows.
    virtual void starve() noexcept {}
    virtual void set_pump(UniqueFunction<void()>) {}
};

class Download final : public Receiver, public Awaited, public std::enable_shared_from_this<Download> {
public:
    struct Range {
        std::uint64_t from{0};
        std::uint64_t most{0};
        std::optional<std::uint64_t> size{};  ///< of the file, so far as the server told
    };
    /// @param window  for all transfers of the client together
    Download(std::shared_ptr<Session> session, std::string handle, Drain& drain, Range range, std::size_t window);
    ~Download() override;

    /// Asks for as much as the window has room for.
    void pump();
    /// What still comes is dropped.
    void detach() noexcept;
    std::uint64_t delivered() const noexcept { return place_ - range_.from; }

    // Once it is done, at most one of:
    std::optional<Refusal> refusal{};
    std::optional<Error> lost{};
    std::exception_ptr thrown{};  // of the drain
    bool begun{false};

    void on_answer(std::uint64_t offset, const Packet& packet, const BlockRef& block) override;
    void on_lost(std::uint64_t offset, const Error& error, bool was_begun) override;

private:
    struct Part {
        std::uint32_t size{0};
        Slice slice{};  // empty: not yet
    };

    std::size_t share() const noexcept;
    std::uint32_t first_chunk() const noexcept;
    void ask(std::uint64_t offset, std::uint32_t size);
    void on_data(std::uint64_t offset, Part& part, Slice slice);
    void deliver(Slice slice);
    void deliver_held();
    void finish_if_whole();
    void leave() noexcept;
    void malformed(std::string_view what);
    void done();

    const std::shared_ptr<Session> session_;
    const std::string handle_;
    Drain* drain_;
    const Range range_;
    const std::size_t window_;
    std::uint64_t limit_;                                           // behind the last byte that is wanted
    std::uint64_t end_{std::numeric_limits<std::uint64_t>::max()};  // of the file, once an answer has told
    std::uint64_t next_;                                            // to be asked for
    std::uint64_t place_;                                           // to be delivered next
    std::map<std::uint64_t, Part> parts_;                           // by offset
    std::uint32_t chunk_{0};
    std::size_t probes_{0};  // asked for beyond the size that is known
    std::size_t most_probes_{1};
    bool counted_{true};  // among the session's transfers
};

}  // namespace qconn::sftp
