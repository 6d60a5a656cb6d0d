// SPDX-License-Identifier: Apache-2.0
/// One name of a registry: its definition in a compact form, its operator settings, its client.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <typeinfo>
#include <variant>

#include <qconn/base/error.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "core/read_section.hpp"

namespace qconn::core {

class Store;

/// What slots need of their registry and what outlives it: one small block, counted by its slots.
class Hub {
public:
    explicit Hub(std::weak_ptr<Store> store) noexcept;
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    /// Different for every registry that the process has had.
    const std::uint64_t id;
    const std::weak_ptr<Store> store;
    /// Versions of later epochs are not there yet: a change of many slots becomes visible with the one store to this.
    std::atomic<std::uint64_t> epoch{0};

private:
    std::atomic<std::size_t> references_{1};
};

/// One state of a slot. Immutable once it is published; readers reach it inside a ReadSection only. Its texts follow it in the same block.
struct Version {
    enum Flag : std::uint16_t {
        k_enabled = 1,
        k_monitored = 2,
        k_locked = 4,
        k_debug_data = 8,
        /// The same four, shifted: set by code, so that files do not change them.
        k_settings = 15,
        k_by_code_shift = 4,
        k_by_code = 15 << k_by_code_shift,
        k_stale = 1 << 8,
        k_invalid = 1 << 9,
        k_removed = 1 << 10,
        /// The definition was added by code; loading a file does not touch it.
        k_from_code = 1 << 11,
    };

    std::uint64_t epoch;
    /// The state before, until no reader can need it.
    Version* before;
    /// Null where the scheme is unknown.
    const Scheme* scheme;
    /// Directory part of the file that it came from, with its '/'; one string for all connections from there. Null: no file. One that was added by
    /// code may name a file too: relative references count from there.
    const std::string* directory;
    /// Nanoseconds since 1970.
    std::int64_t updated;
    /// Goes up when what clients and pings are made from changes.
    std::uint32_t build;
    std::uint32_t content_size;
    std::uint32_t extra_size;
    std::uint16_t flags;

    bool has(unsigned flag) const noexcept { return (flags & flag) != 0; }
    bool usable() const noexcept { return (flags & (k_enabled | k_invalid | k_removed)) == k_enabled; }
    Validity validity() const noexcept { return has(k_invalid) ? Validity::invalid : has(k_stale) ? Validity::stale : Validity::valid; }
    /// The definition as pack_content made it.
    std::string_view content() const noexcept { return {data(), content_size}; }
    /// What goes with it, as pack_extra made it.
    std::string_view extra() const noexcept { return {data() + content_size, extra_size}; }

    /// A block with copies of both texts; everything else as in `header`.
    static Version* make(const Version& header, std::string_view content, std::string_view extra);
    /// Wipes and frees it.
    static void destroy(Version* version) noexcept;

private:
    static constexpr std::size_t k_data = sizeof(std::uint64_t) * 5 + sizeof(std::uint32_t) * 3 + sizeof(std::uint16_t);
    const char* data() const noexcept { return reinterpret_cast<const char*>(this) + k_data; }
};

/// The client of one build of a slot: made by the first who needs it, once; shared by all.
class ClientCell {
public:
    /// Threads take references in different places, so that using one client in several does not make them contend for its counter.
    static constexpr std::size_t k_stripes = 8;
    struct alignas(64) Stripe {
        std::shared_ptr<Client> client;
    };
    using Stripes = std::array<std::shared_ptr<Stripe>, k_stripes>;

    explicit ClientCell(std::uint32_t of_build) noexcept : build{of_build} {}
    ~ClientCell() { delete stripes_.load(std::memory_order_acquire); }

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    const std::uint32_t build;
    ClientCell* next_orphan{nullptr};
    /// Null until the client is made. For readers inside a ReadSection.
    const Stripes* stripes() const noexcept { return stripes_.load(std::memory_order_acquire); }
    Client* client() const noexcept {
        const Stripes* stripes = stripes_.load(std::memory_order_acquire);
        return stripes ? stripes->front()->client.get() : nullptr;
    }
    /// Of the resolved definition that the client was made from.
    std::uint64_t fingerprint() const noexcept { return fingerprint_.load(std::memory_order_acquire); }

    struct Made {
        std::shared_ptr<Client> client;
        std::uint64_t fingerprint{0};
    };
    /// Makes the client unless it is there; waits while another thread is at it. What `make` throws is thrown to all who wait for it, and the next
    /// call tries again.
    template <class Make>
    void ensure(const std::string& name, Make&& make) {
        if (!begin(name)) return;
        try {
            finish(make());
        } catch (const Error& error) {
            fail(error);
            throw;
        } catch (...) {
            fail(std::current_exception());
            throw;
        }
    }

private:
    bool begin(const std::string& name);
    void finish(Made made);
    /// An Error, of which each who waits throws a copy of its own, or any other exception.
    using Failure = std::variant<std::exception_ptr, Error>;
    void fail(Failure why) noexcept;

    std::atomic<const Stripes*> stripes_{nullptr};
    std::atomic<std::uint64_t> fingerprint_{0};
    std::atomic<std::size_t> references_{1};
    std::mutex mutex_;
    std::condition_variable ended_;
    // Guarded by mutex_:
    std::thread::id maker_;      // who is making it
    std::uint64_t attempts_{0};  // that have ended
    Failure last_error_;         // of the last of them
};

/// A name and what stands behind it. Lives as long as the registry knows the name or anybody holds it. After a removal it holds neither client nor
/// definition; the same name takes it again where it is still held.
class Slot {
public:
    Slot(std::string_view name, Hub& hub) : name_{name}, hub_{hub} { hub_.retain(); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot();

    const std::string& name() const noexcept { return name_; }
    Hub& hub() const noexcept { return hub_; }
    /// Inside a ReadSection, or under the store's write mutex. Null: not there yet.
    const Version* current() const noexcept { return current(hub_.epoch.load(std::memory_order_seq_cst)); }
    const Version* current(std::uint64_t epoch) const noexcept {
        const Version* version = head_.load(std::memory_order_seq_cst);
        while (version && version->epoch > epoch) version = version->before;
        return version;
    }

private:
    friend class Store;

    const std::string name_;
    Hub& hub_;
    std::atomic<Version*> head_{nullptr};
    std::atomic<ClientCell*> cell_{nullptr};

public:
    /// Of the client that stands now, which may be of another build. Inside a ReadSection.
    const ClientCell* cell() const noexcept { return cell_.load(std::memory_order_seq_cst); }
};

/// The client as a pointer to that type; null where the scheme's clients are not of it.
void* cast_client(const Scheme& scheme, const std::type_info& type, Client* client) noexcept;
const ClientType* find_type(const Scheme& scheme, const std::type_info& type) noexcept;

/// Throws the Error that says why the connection cannot be used, or returns where it can. Copies all it needs: call it inside a ReadSection.
void require_usable(const Slot& slot, const Version* version);
/// Throws CONNECTION-TYPE-ERROR.
[[noreturn]] void throw_type_error(const std::string& name, const Scheme& scheme, const std::type_info& type);
[[noreturn]] void throw_removed(const std::string& name);

}  // namespace qconn::core
