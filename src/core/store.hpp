// SPDX-License-Identifier: Apache-2.0
/// The inside of a registry: the slots, how they are found, how they change.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/kept_settings.hpp"
#include "core/load.hpp"
#include "core/registry_impl.hpp"
#include "core/retired_clients.hpp"
#include "core/secret_keeper.hpp"
#include "core/secret_rotation.hpp"
#include "core/slot.hpp"
#include "core/slot_pack.hpp"
#include "core/state_file.hpp"
#include "net/listeners.hpp"

namespace qconn::core {

/// The names are spread over so many parts, so that one more costs little.
inline constexpr std::size_t k_shards = 512;
std::size_t hash_of(std::string_view name) noexcept;

/// A part of the names: slots by hash. Immutable once it is published.
class Shard {
public:
    explicit Shard(std::vector<std::shared_ptr<Slot>> slots);
    const std::shared_ptr<Slot>* find(std::string_view name, std::size_t hash) const noexcept;
    const std::vector<std::shared_ptr<Slot>>& slots() const noexcept { return slots_; }

private:
    std::vector<std::shared_ptr<Slot>> slots_;
    /// Open addressing, at most half full: place in slots_ plus one.
    std::vector<std::uint32_t> table_;
};

/// Readers: get_slot, pin_made and everything const. They take no lock that a writer holds while it works: they read immutable versions inside a
/// ReadSection. Writers: one at a time, under write_mutex_, which guards everything that is not atomic here. They build new versions, publish them
/// with one store to Hub::epoch, wait for the readers of the old ones and free those. Clients are made and destroyed without any lock.
class Store final : public RegistryImpl, public std::enable_shared_from_this<Store> {
public:
    static std::shared_ptr<Store> make(RegistryOptions options);
    explicit Store(RegistryOptions options);
    ~Store() override;

    // RegistryImpl
    std::vector<std::shared_ptr<Slot>> slots() const override;
    std::optional<SlotView> view(std::string_view name) const override;
    std::optional<SlotView> view(const std::shared_ptr<Slot>& slot) const override;
    std::string configuration(const std::shared_ptr<Slot>& slot) const override;
    std::shared_ptr<Slot> get_slot(std::string_view name, const std::type_info& type, const char* type_name) override;
    SlotPlan make_plan(const std::shared_ptr<Slot>& slot, PingDepth depth, const SecretLimits& limits = {}) override;
    bool refresh_secrets(const std::shared_ptr<Slot>& slot, std::uint64_t fingerprint, const SecretLimits& limits = {}) override;
    std::shared_ptr<net::BlockingPool> secret_pool(const std::shared_ptr<Slot>& slot) const override;
    void acknowledge(std::string_view name, const Acknowledgement& acknowledgement) override;
    Subscription subscribe(std::function<void(const RegistryChange&)> listener) override;
    Subscription listen_to_uses(UseListener listener, UseInterest interest) override { return uses_->listen(std::move(listener), interest); }
    std::string suggestion(std::string_view name) const override;
    const Runtime& runtime() const noexcept override { return options_.runtime; }
    const Catalogue& catalogue() const noexcept override { return *catalogue_; }
    const RegistryOptions& options() const noexcept override { return options_; }

    /// The client of a slot, made where it is not there yet.
    std::shared_ptr<void> pin_made(const std::shared_ptr<Slot>& slot, const std::type_info& type);
    std::shared_ptr<void> open(std::string_view name, const std::type_info& type, const OpenOptions& open_options) const;

    /// As Registry::refresh_secrets and refresh_all_secrets.
    bool refresh_secrets(std::string_view name, Deadline deadline);
    std::size_t refresh_all_secrets(Deadline deadline);
    /// Of the connections whose secret files have changed. What goes wrong is logged.
    void refresh_secret_files();
    /// The files that secret references name, and the overlay's.
    std::vector<std::string> secret_files() const;

    LoadReport load(const std::vector<std::string>& paths);
    LoadReport reload();
    /// Takes over what other programs have changed in the file of operator settings.
    void reload_settings();
    Plan plan(const std::vector<std::string>& paths);
    /// What was loaded.
    std::vector<std::string> paths() const;

    void add(Definition definition);
    void update(Definition definition);
    void remove(std::string_view name);
    /// @returns whether it was otherwise before
    bool set(std::string_view name, Version::Flag setting, bool yes);
    /// Nothing: what the definition says.
    void set(std::string_view name, std::optional<Map> Overrides::*which, std::optional<Map> values);
    /// @throws Error CONNECTION-DEFINITION-ERROR where a rule is not one
    void set_monitoring(std::string_view name, Map rules);
    /// @throws Error INVALID-ARGUMENT
    void set_silence(std::string_view name, std::optional<Silence> silence);

    std::vector<std::string> names() const;
    std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    bool contains(std::string_view name) const;
    ConnectionInfo info(std::string_view name) const;
    std::vector<ConnectionInfo> infos() const;
    Definition definition(std::string_view name) const;

    /// @throws Error CONNECTION-UNKNOWN
    std::shared_ptr<Slot> slot(std::string_view name) const;

    /// Clients that are kept for their calls.
    std::size_t retired_clients() const { return retired_->count(); }

    /// The registry goes: every connection is removed, every subscription ended. What holds slots then finds them removed.
    void close();

private:
    struct Change;
    struct Commit;
    struct Claim;
    class Merge;
    struct SlotHash;
    /// A client cell that is kept for a while, released at the end.
    class CellHold;

    const std::atomic<const Shard*>& shard(std::size_t hash) const noexcept { return shards_[hash % k_shards]; }
    // Inside a ReadSection:
    const std::shared_ptr<Slot>* find(std::string_view name, std::size_t hash) const noexcept;
    /// Every connection there is at the section's epoch, in no order.
    template <class Function>
    void for_each(Function&& function) const;
    const Slot& at(std::string_view name, const Version*& version) const;
    Definition materialise(const Slot& slot, const Version& version) const;
    SlotView view_of(const std::shared_ptr<Slot>& slot, const Version& version) const;
    ConnectionInfo info_of(const Slot& slot, const Version& version) const;
    std::string file_of(const Slot& slot, const Version& version) const;
    /// For messages: "at FILE:LINE:COLUMN" or "by code".
    std::string origin_of(const Slot& slot, const Version& version) const;
    std::string usual_file(std::string_view name) const { return std::string{name} + options_.suffix; }

    [[noreturn]] void throw_unknown(std::string_view name) const;
    CellHold claim_cell(const std::shared_ptr<Slot>& slot, const std::type_info& type, Definition& definition);
    void push_orphan(ClientCell& cell) noexcept;

    /// What a usable connection is made from.
    struct Basis {
        Definition definition;
        std::uint32_t build;
        const Scheme* scheme;
    };
    /// @throws Error where it cannot be used
    Basis basis_of(const Slot& slot) const;
    /// Resolves the secrets anew and retires what was made from others. @returns whether there was such. @throws Error SECRET-ERROR
    bool rotate(const std::shared_ptr<Slot>& slot, const SecretLimits& limits);
    /// The same; what goes wrong is logged.
    bool try_rotate(const std::shared_ptr<Slot>& slot, const SecretLimits& limits) noexcept;
    void log_not_refreshed(const std::string& name, std::string_view why) const;
    /// Notes what a client or ping plan was made from.
    void used(const std::shared_ptr<Slot>& slot, const Basis& basis, const SecretKeeper::Resolution& resolution, bool by_plan);
    /// For those whose secrets are due: each on the threads of its provider.
    void begin_turn(const std::vector<std::shared_ptr<Slot>>& slots);

    // Under state_mutex_, without write_mutex_:
    /// Writes what code has set, and takes over what others have.
    void keep(Commit& others, std::string_view name);
    void take_over(Commit& commit, const StateFile::Changes& changes);
    void remove_now(Commit& commit, std::string_view name);
    bool set_now(Commit& commit, std::string_view name, Version::Flag setting, bool yes);
    void set_now(Commit& commit, std::string_view name, std::optional<Map> Overrides::*which, std::optional<Map> values);

    /// Without what cannot be used, which is logged.
    KeptSettings::Settings checked(std::string_view name, KeptSettings::Settings settings) const;

    // Under write_mutex_:
    const std::string* intern(const std::string& directory);
    std::shared_ptr<Slot> slot_for(std::string_view name);
    std::shared_ptr<Slot> require_slot(std::string_view name) const;
    /// A new connection's settings and tags: those of the operator, kept from before its file was gone, win.
    unsigned restored(std::string_view name, unsigned settings, Overrides& set) const;
    void commit(Commit& commit);
    void derive(Commit& commit, const std::shared_ptr<Slot>& slot, unsigned flags, const Extra* extra, std::uint32_t build);
    LoadReport apply(Scan scan, bool all);
    /// Under load_mutex_.
    LoadReport load_again();
    /// The private file of secrets as it is now; null where there is none.
    const SecretOverlay* fresh_overlay() const;
    /// Files that have not changed are completed from it as they were. Which definitions it completes is known only when these are read, and so is
    /// what is wrong with its entries.
    bool overlay_stands(const SecretOverlay* overlay) const;
    /// Under write_mutex_: what is wrong with that file, and its entries for connections that there are not. @returns whether it has any finding
    bool tell_overlay(Scan& scan, bool all) const;
    /// @throws Error LOAD-ERROR
    static void require_paths(const std::vector<std::string>& paths);
    /// What a change does, as a plan tells it.
    void tell(Plan& plan, const Change& change) const;
    /// @param for_plan  also those count as other than their file says whose settings were made by code: a plan tells them
    Standing standing(bool for_plan) const;
    void count(LoadReport& report) const;

    RegistryOptions options_;
    std::optional<SecretOverlay> overlay_;
    std::unique_ptr<Catalogue> catalogue_;
    std::shared_ptr<SecretKeeper> secrets_;  // set by the constructor
    std::shared_ptr<SecretRotation> rotation_;
    std::shared_ptr<RetiredClients> retired_;  // as both
    const std::shared_ptr<Uses> uses_{std::make_shared<Uses>()};
    Hub* hub_{nullptr};
    std::array<std::atomic<const Shard*>, k_shards> shards_{};
    std::atomic<std::size_t> size_{0};

    /// One load at a time; taken before write_mutex_ and held while files are read.
    std::mutex load_mutex_;
    std::vector<std::string> paths_;  // written under load_mutex_ and paths_mutex_, read under one of them
    mutable std::mutex paths_mutex_;
    KnownFiles known_files_;  // guarded by load_mutex_, as the next two
    /// The generation of the overlay that all loaded definitions were completed from; 0: none, or several.
    std::uint64_t known_overlay_{0};
    bool overlay_findings_{false};
    std::mutex write_mutex_;
    bool closed_{false};
    std::set<std::string, std::less<>> directories_;
    KeptSettings kept_;
    /// Null: nothing is kept over restarts.
    std::unique_ptr<StateFile> state_;  // guarded by state_mutex_
    /// Taken before write_mutex_, and held until the file is written, so that it has what was set last.
    std::mutex state_mutex_;
    /// Slots of removed names that somebody still held when last looked at.
    std::unordered_map<std::string, std::weak_ptr<Slot>> removed_;

    /// Cells that first users replaced while a commit was under way, for that to destroy.
    std::atomic<ClientCell*> orphans_{nullptr};
    net::Listeners<RegistryChange, Subscription::State> listeners_;
};

}  // namespace qconn::core
