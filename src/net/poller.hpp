// SPDX-License-Identifier: Apache-2.0
/// The readiness of all descriptors of a loop.
///
/// Asio would arm each wait anew, with a system call and an operation of its own. Here a descriptor stays in a level-triggered epoll set of ours,
/// armed for what it was last waited for, and Asio watches that set as one descriptor: a stream that is read, left idle and read again costs no call
/// at all. What becomes ready while nobody waits for it is disarmed then.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/log.hpp>
#include <qconn/base/operation.hpp>

#include "net/fd_watch.hpp"
#include "net/unique_fd.hpp"

namespace qconn::net {

/// @note Loop's thread; forget() also after the loop has ended.
class Poller {
public:
    struct Watched {
        int fd{-1};
        std::array<UniqueFunction<void()>, 2> callbacks{};  // by Ready
        std::uint32_t armed{0};                             // what the set has it for
        bool in_set{false};
        std::uint32_t place{k_nowhere};  // in the batch that is being dealt with
    };

    /// @param log      outlives it
    /// @param context  which watches the set; null: somebody calls wait()
    /// @throws Error SYSTEM-ERROR (reason local)
    explicit Poller(const Log& log, boost::asio::io_context* context = nullptr);
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller();

    /// From now on the callbacks that it has are called, each once.
    /// @throws Error SYSTEM-ERROR (reason local) where the system cannot watch it
    void want(Watched& one);
    /// To be called before it goes.
    void forget(Watched& one) noexcept;

    /// Until something is ready, or that instant; and calls back what is to be.
    void wait(Clock::time_point until);

private:
    static constexpr std::uint32_t k_nowhere = 0xffffffff;
    static constexpr std::size_t k_batch = 256;
    static constexpr int k_batches = 8;  ///< in one go; then others of the loop have a turn

    void listen();
    void dispatch();
    void deal_with(std::size_t ready);
    void tell(std::size_t place);
    /// Nobody waits for what it is ready for.
    void quieten(Watched& one, bool broken) noexcept;
    bool arm(Watched& one, std::uint32_t events) noexcept;

    const Log& log_;
    UniqueFd set_;
    std::optional<boost::asio::posix::stream_descriptor> told_;
    std::array<epoll_event, k_batch> batch_{};
    std::vector<Watched*> in_set_;  // by descriptor
    unsigned forks_;
};

}  // namespace qconn::net
