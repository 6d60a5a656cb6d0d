// SPDX-License-Identifier: Apache-2.0
/// Bytes into an open file, many WRITEs at a time.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ssh/sftp_call.hpp"
#include "ssh/sftp_download.hpp"
#include "ssh/sftp_session.hpp"

namespace qconn::sftp {

/// Where the bytes begin in a block for uploads; before them is room for the head of the WRITE.
inline constexpr std::size_t k_upload_begin = (k_write_head + 63) / 64 * 64;
inline constexpr std::size_t k_upload_block = k_upload_begin + 255 * 1024;

/// What a coroutine can wait for.
class Event final : public Awaited {
public:
    void set() { finish(); }
};

/// Where the bytes of an upload come from. On the loop's thread.
class Feed {
public:
    enum class Next : std::uint8_t { piece, later, end };
    struct Piece {
        BlockRef block{};
        std::uint32_t size{0};
    };

    virtual ~Feed() = default;
    /// In all; none: not known.
    virtual std::optional<std::uint64_t> size() const noexcept = 0;
    /// To that byte. Once ready() is done, position() is that, or 0 where the source could go to its beginning only.
    virtual void begin(std::uint64_t from) = 0;
    virtual Event& ready() noexcept = 0;
    /// None: it could not even do that.
    virtual std::optional<std::uint64_t> position() const noexcept = 0;
    /// later: Upload::pump is called again. What it throws ends the transfer.
    virtual Next next(Piece& piece, std::uint32_t most) = 0;
    /// So much of the file is with the server now.
    virtual void stored(std::uint64_t end) = 0;
    virtual void set_pump(UniqueFunction<void()>) {}
};

class Upload final : public Receiver, public std::enable_shared_from_this<Upload> {
public:
    /// @param at  where the first byte goes
    Upload(std::shared_ptr<Session> session, std::string handle, Feed& feed, std::uint64_t at, std::size_t window);
    ~Upload() override;

    void pump();
    void detach() noexcept;
    /// All has been sent, or it has failed.
    Event sent;
    /// All has been acknowledged, or it has failed.
    Event done;
    /// Every byte before this one is with the server.
    std::uint64_t stored_end() const noexcept { return under_way_.empty() ? next_ : under_way_.begin()->first; }
    std::uint64_t sent_end() const noexcept { return next_; }
    /// Bytes that the server has acknowledged, wherever they are; also after it has failed.
    std::uint64_t taken() const noexcept { return taken_; }
    /// WRITEs that are still to be answered.
    std::size_t unanswered() const noexcept { return unanswered_; }
    /// To be called at first: what is refused is kept in `refused`.
    void keep_refused() noexcept { keeps_ = true; }

    std::optional<Refusal> refusal{};
    Feed::Piece refused{};  // the first, of which a part may be with the server
    std::optional<Error> lost{};
    std::exception_ptr thrown{};  // of the feed
    bool begun{false};
    bool failed() const noexcept { return refusal || lost || thrown; }

    void on_answer(std::uint64_t offset, const Packet& packet, const BlockRef& block) override;
    void on_lost(std::uint64_t offset, const Error& error, bool was_begun) override;

private:
    void leave() noexcept;
    void end();

    const std::shared_ptr<Session> session_;
    const std::string handle_;
    Feed* feed_;
    const std::size_t window_;
    std::uint64_t next_;
    std::map<std::uint64_t, Feed::Piece> under_way_;  // by offset; with their blocks where they are kept
    std::size_t bytes_under_way_{0};
    std::uint64_t taken_{0};
    std::size_t unanswered_{0};
    bool keeps_{false};
    bool ended_{false};  // the feed
    bool counted_{true};
};

}  // namespace qconn::sftp
