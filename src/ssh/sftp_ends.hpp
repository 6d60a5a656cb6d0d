// SPDX-License-Identifier: Apache-2.0
/// The callers' ends of transfers: sinks, sources and visitors, on the loop's thread or on that of a blocking call.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <qconn/file/file_transfer_client.hpp>

#include "ssh/sftp_download.hpp"
#include "ssh/sftp_listing.hpp"
#include "ssh/sftp_upload.hpp"

namespace qconn::sftp {

// For asynchronous calls, and for what never blocks.

/// Into a sink, as it comes.
class SinkDrain final : public Drain {
public:
    SinkDrain(std::shared_ptr<ByteSink> sink, Progress progress, std::uint64_t from)
        : sink_{std::move(sink)}, progress_{std::move(progress)}, from_{from} {}
    void expect(std::optional<std::uint64_t> size) override { all_ = size; }
    void take(Slice slice) override;
    std::uint64_t taken() const noexcept override { return taken_; }

private:
    const std::shared_ptr<ByteSink> sink_;
    const Progress progress_;
    const std::uint64_t from_;
    std::optional<std::uint64_t> all_;
    std::uint64_t taken_{0};
};

/// Into memory.
class TextDrain final : public Drain {
public:
    /// @param too_large  makes what is thrown where the file has more than `most` bytes
    TextDrain(std::uint64_t most, std::function<Error()> too_large) : most_{most}, too_large_{std::move(too_large)} {}
    void expect(std::optional<std::uint64_t> size) override;
    void take(Slice slice) override;
    std::uint64_t taken() const noexcept override { return text.size(); }
    std::string text{};

private:
    const std::uint64_t most_;
    const std::function<Error()> too_large_;
};

/// From a source that is read on the loop's thread.
class SourceFeed final : public Feed {
public:
    SourceFeed(std::shared_ptr<ByteSource> source, Progress progress, std::shared_ptr<BlockPool> pool);
    std::optional<std::uint64_t> size() const noexcept override { return size_; }
    void begin(std::uint64_t from) override;
    Event& ready() noexcept override { return ready_; }
    std::optional<std::uint64_t> position() const noexcept override { return position_; }
    Next next(Piece& piece, std::uint32_t most) override;
    void stored(std::uint64_t end) override;

private:
    const std::shared_ptr<ByteSource> source_;
    const Progress progress_;
    const std::shared_ptr<BlockPool> pool_;
    const std::optional<std::uint64_t> size_;
    Event ready_;
    std::optional<std::uint64_t> position_;
    std::uint64_t told_{0};
};

/// All entries.
class VectorTaker final : public Taker {
public:
    bool take(std::vector<FileInfo> some) override;
    std::vector<FileInfo> entries{};
};

// For blocking calls: what the loop hands over or is handed, through a queue with a limit. serve() runs on the calling thread until finish() has been
// called, from any thread.

/// Where a blocking call waits, and works meanwhile.
class Desk : public std::enable_shared_from_this<Desk> {
public:
    explicit Desk(std::shared_ptr<net::Loop> loop) : loop_{std::move(loop)} {}
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;
    virtual ~Desk() = default;
    /// @param cancel  ends the call where the caller's own code has thrown
    void serve(const std::function<void()>& cancel);
    /// The call has its outcome.
    /// @param good  what has been handed over is still worked off
    void finish(bool good);
    /// What the caller's code threw; null: nothing. After serve().
    std::exception_ptr thrown() const noexcept { return thrown_; }

protected:
    /// With the mutex held: there is work for the calling thread. @param finished  nothing more will come
    virtual bool has_work(bool finished) const = 0;
    /// One step of it, with the lock held at its begin and its end.
    virtual void work(std::unique_lock<std::mutex>& lock) = 0;
    /// Without the lock.
    virtual void after_throw(const std::function<void()>& cancel) { cancel(); }
    bool has_thrown() const noexcept { return thrown_ != nullptr; }
    /// Has the loop look for what has changed.
    void wake_loop();

    std::mutex mutex_;
    std::condition_variable changed_;
    const std::shared_ptr<net::Loop> loop_;
    UniqueFunction<void()> pump_;  // the loop's

private:
    bool finished_{false};
    bool good_{false};
    std::exception_ptr thrown_;
};

/// Only waits.
class WaitDesk final : public Desk {
public:
    using Desk::Desk;

private:
    bool has_work(bool) const override { return false; }
    void work(std::unique_lock<std::mutex>&) override {}
};

class SinkDesk final : public Desk, public Drain {
public:
    SinkDesk(ByteSink& sink, const Progress& progress, std::uint64_t from, std::shared_ptr<net::Loop> loop)
        : Desk{std::move(loop)}, sink_{sink}, progress_{progress}, from_{from} {}
    void expect(std::optional<std::uint64_t> size) override;
    void take(Slice slice) override;
    std::uint64_t taken() const noexcept override { return taken_.load(); }
    void starve() noexcept override { starved_.store(true); }
    void set_pump(UniqueFunction<void()> pump) override { pump_ = std::move(pump); }

private:
    bool has_work(bool) const override { return !queue_.empty(); }
    void work(std::unique_lock<std::mutex>& lock) override;

    ByteSink& sink_;
    const Progress& progress_;
    const std::uint64_t from_;
    // Under mutex_:
    std::vector<Slice> queue_;
    std::optional<std::uint64_t> all_;

    std::atomic<std::uint64_t> taken_{0};
    std::atomic<bool> starved_{false};  // the loop waits for taken_ to grow
};

class SourceDesk final : public Desk, public Feed {
public:
    /// On the calling thread.
    SourceDesk(ByteSource& source, const Progress& progress, std::shared_ptr<BlockPool> pool, std::shared_ptr<net::Loop> loop);
    /// What is small is read before the call is begun, so that the loop need not ask for it. Only where begin(0) is to come: a source may be readable
    /// just once. @throws what the source does
    void prime();
    std::optional<std::uint64_t> size() const noexcept override { return size_; }
    void begin(std::uint64_t from) override;
    Event& ready() noexcept override { return ready_; }
    std::optional<std::uint64_t> position() const noexcept override { return position_; }
    Next next(Piece& piece, std::uint32_t most) override;
    void stored(std::uint64_t end) override;
    void set_pump(UniqueFunction<void()> pump) override { pump_ = std::move(pump); }

private:
    bool has_work(bool finished) const override;
    void work(std::unique_lock<std::mutex>& lock) override;
    void after_throw(const std::function<void()>& cancel) override;
    void read_piece(std::unique_lock<std::mutex>& lock);
    void seek(std::unique_lock<std::mutex>& lock);
    void read(std::unique_lock<std::mutex>& lock);
    void tell(std::optional<std::uint64_t> position);

    ByteSource& source_;
    const Progress& progress_;
    const std::shared_ptr<BlockPool> pool_;
    const std::optional<std::uint64_t> size_;
    // The loop's:
    Event ready_;
    std::optional<std::uint64_t> position_;
    // Under mutex_:
    std::deque<Piece> queue_;
    std::optional<std::uint64_t> seek_to_;
    std::uint32_t most_;  // bytes of a piece
    bool primed_{false};
    bool begun_{false};
    bool reading_{false};
    bool ended_{false};   // the source
    bool hungry_{false};  // the loop found nothing
    std::uint64_t stored_{0};
    std::uint64_t told_{0};
};

class VisitorDesk final : public Desk, public Taker {
public:
    VisitorDesk(const FileVisitor& visitor, std::shared_ptr<net::Loop> loop) : Desk{std::move(loop)}, visitor_{visitor} {}
    bool take(std::vector<FileInfo> entries) override;
    bool is_full() noexcept override;
    void set_pump(UniqueFunction<void()> pump) override { pump_ = std::move(pump); }

private:
    bool has_work(bool) const override { return !queue_.empty() && !enough_; }
    void work(std::unique_lock<std::mutex>& lock) override;

    const FileVisitor& visitor_;
    // Under mutex_:
    std::deque<std::vector<FileInfo>> queue_;
    bool full_{false};
    bool enough_{false};
};

}  // namespace qconn::sftp
