// SPDX-License-Identifier: Apache-2.0
#include "core/store.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <qconn/core/file_resolver.hpp>
#include <qconn/core/property_source.hpp>
#include <qconn/core/registry_error.hpp>

#include "core/make.hpp"
#include "core/monitoring_rules.hpp"
#include "core/store_commit.hpp"
#include "core/thread_cache.hpp"

namespace qconn::core {
namespace {

class RegistryCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.registry"; }
    std::string message(int code) const override {
        switch (static_cast<RegistryErrc>(code)) {
            case RegistryErrc::unknown: return "no connection of that name";
            case RegistryErrc::disabled: return "the connection is disabled";
            case RegistryErrc::invalid: return "the connection's definition cannot be used";
            case RegistryErrc::removed: return "the connection was removed";
            case RegistryErrc::type: return "the connection's client is of another type";
            case RegistryErrc::exclusive: return "the connection's client cannot be shared";
            case RegistryErrc::exists: return "the name is taken";
            case RegistryErrc::definition: return "the definition is invalid";
            case RegistryErrc::locked: return "the connection is locked";
            case RegistryErrc::option: return "an option is wrong";
            case RegistryErrc::load: return "there is no such directory or file";
        }
        return "unknown error";
    }
};

/// Path and query of a URL with another path or an addition to it; the query stays unless the new path has one.
std::string joined_path(const std::string& base, const OpenOptions& options) {
    const std::size_t query_at = base.find('?');
    std::string path = base.substr(0, query_at);
    const std::string query = query_at == std::string::npos ? std::string{} : base.substr(query_at);
    if (!options.path.empty()) path = options.path.front() == '/' ? options.path : "/" + options.path;
    if (!options.path_add.empty()) {
        while (path.ends_with('/')) path.pop_back();
        path += options.path_add.front() == '/' ? options.path_add : "/" + options.path_add;
    }
    return path.find('?') == std::string::npos ? path + query : path;
}

}  // namespace
}  // namespace qconn::core

namespace qconn {

const std::error_category& registry_category() noexcept {
    static const core::RegistryCategory category;
    return category;
}
std::error_code make_error_code(RegistryErrc code) noexcept { return {static_cast<int>(code), registry_category()}; }

}  // namespace qconn

namespace qconn::core {

Shard::Shard(std::vector<std::shared_ptr<Slot>> slots) : slots_{std::move(slots)} {
    std::size_t size = 2;
    while (size < slots_.size() * 2) size *= 2;
    table_.resize(size);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        std::size_t at = hash_of(slots_[i]->name()) / k_shards % size;
        while (table_[at] != 0) at = (at + 1) % size;
        table_[at] = static_cast<std::uint32_t>(i + 1);
    }
}

const std::shared_ptr<Slot>* Shard::find(std::string_view name, std::size_t hash) const noexcept {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t at = hash / k_shards & mask; table_[at] != 0; at = (at + 1) & mask) {
        const auto& slot = slots_[table_[at] - 1];
        if (slot->name() == name) return &slot;
    }
    return nullptr;
}

/// Keeps a cell from being destroyed.
class Store::CellHold {
public:
    explicit CellHold(ClientCell& cell) noexcept : cell_{&cell} { cell_->retain(); }
    CellHold(CellHold&& other) noexcept : cell_{std::exchange(other.cell_, nullptr)} {}
    CellHold& operator=(CellHold&&) = delete;
    ~CellHold() {
        if (cell_) cell_->release();
    }
    ClientCell* operator->() const noexcept { return cell_; }

private:
    ClientCell* cell_;
};

std::shared_ptr<Store> Store::make(RegistryOptions options) {
    auto store = std::make_shared<Store>(std::move(options));
    store->hub_ = new Hub{store};
    store->rotation_ =
        std::make_shared<SecretRotation>(store->runtime(), [weak = std::weak_ptr{store}](const std::vector<std::shared_ptr<Slot>>& due) {
            if (const auto alive = weak.lock()) alive->begin_turn(due);
        });
    return store;
}

namespace {

std::optional<SecretOverlay> overlay_of(const RegistryOptions& options) {
    return options.secrets_file.empty() ? std::nullopt : std::optional{SecretOverlay{options.secrets_file}};
}

Catalogue catalogue_of(const RegistryOptions& options, const std::optional<SecretOverlay>& overlay) {
    Catalogue catalogue = options.catalogue ? *options.catalogue : builtin_catalogue();
    if (overlay) catalogue.add(overlay->provider());
    for (const SecretProvider& provider : options.secret_providers) catalogue.add(provider);
    return catalogue;
}

}  // namespace

Store::Store(RegistryOptions options)
    : options_{std::move(options)},
      overlay_{overlay_of(options_)},
      catalogue_{std::make_unique<Catalogue>(catalogue_of(options_, overlay_))},
      listeners_{options_.runtime, "registry"} {
    options_.catalogue = nullptr;
    if (!options_.option_defaults.empty()) *catalogue_ = catalogue_->with_defaults(options_.option_defaults);
    if (!options_.files) options_.files = std::make_shared<const FileResolver>(builtin_file_resolver({}, {}, options_.runtime));
    retired_ = std::make_shared<RetiredClients>(options_.runtime);
    secrets_ = std::make_shared<SecretKeeper>(*catalogue_, options_.runtime, options_.properties, options_.files, options_.secrets_file);
    if (options_.state_file.empty()) return;
    state_ = std::make_unique<StateFile>(options_.state_file, options_.runtime.log());
    for (auto& [name, settings] : state_->load()) {
        KeptSettings::Settings usable = checked(name, std::move(settings));
        kept_.put(std::move(name), std::move(usable));
    }
}

Store::~Store() {
    for (auto& shard : shards_) delete shard.load(std::memory_order_acquire);
    if (hub_) hub_->release();
}

std::size_t hash_of(std::string_view name) noexcept { return std::hash<std::string_view>{}(name); }

const std::shared_ptr<Slot>* Store::find(std::string_view name, std::size_t hash) const noexcept {
    const Shard* part = shard(hash).load(std::memory_order_seq_cst);
    return part ? part->find(name, hash) : nullptr;
}

const Slot& Store::at(std::string_view name, const Version*& version) const {
    const std::shared_ptr<Slot>* slot = find(name, hash_of(name));
    version = slot ? (*slot)->current() : nullptr;
    if (!version || version->has(Version::k_removed)) throw_unknown(name);
    return **slot;
}

std::shared_ptr<Slot> Store::slot(std::string_view name) const {
    const ReadSection section;
    const std::shared_ptr<Slot>* slot = find(name, hash_of(name));
    const Version* version = slot ? (*slot)->current() : nullptr;
    if (!version || version->has(Version::k_removed)) throw_unknown(name);
    return *slot;
}

Subscription Store::subscribe(std::function<void(const RegistryChange&)> listener) { return Subscription{listeners_.subscribe(std::move(listener))}; }

std::string Store::suggestion(std::string_view name) const {
    const std::string near = nearest(name, names());
    return near.empty() ? std::string{} : " (did you mean \"" + near + "\"?)";
}

void Store::throw_unknown(std::string_view name) const {
    std::string message = "there is no connection \"" + std::string{name} + "\"" + suggestion(name);
    if (size() == 0) message += "; none has been loaded";
    throw Error{RegistryErrc::unknown, "CONNECTION-UNKNOWN", std::move(message)}.with_connection(name).with_reason(Reason::not_found);
}

// --- look-ups and clients -------------------------------------------------------------------------------------------------------------------

namespace {

void refuse_exclusive(const std::string& name, const Scheme& scheme) {
    if (scheme.sharing != Sharing::exclusive) return;
    throw Error{RegistryErrc::exclusive, "CONNECTION-EXCLUSIVE",
                "the connection \"" + name + "\" cannot be shared, as a client of its scheme has one user at a time; use open() for one of your own"}
        .with_connection(name)
        .with_reason(Reason::unsupported);
}

/// Makes a handle whose count is one thread's.
std::shared_ptr<Slot> own_handle(const std::shared_ptr<Slot>& slot) {
    return {slot.get(), [keep = slot](Slot*) noexcept {}};
}

}  // namespace

std::shared_ptr<Slot> Store::get_slot(std::string_view name, const std::type_info& type, const char*) {
    const std::size_t hash = hash_of(name);
    const ReadSection section;
    ThreadCache::Entry* entry = nullptr;
    if (section.is_lasting()) {
        ThreadCache*& cache = section.record().cache;
        if (!cache) cache = new ThreadCache;
        entry = &cache->at(hash);
    }
    const std::shared_ptr<Slot>* found = nullptr;
    const Version* version = nullptr;
    if (entry && entry->hash == hash && entry->hub == hub_->id && entry->slot && entry->slot->name() == name) {
        version = entry->slot->current();
        if (version && !version->has(Version::k_removed)) found = &entry->slot;
    }
    if (!found) {
        found = find(name, hash);
        version = found ? (*found)->current() : nullptr;
        if (!version || version->has(Version::k_removed)) throw_unknown(name);
        if (entry && entry->hash == hash && entry->hub == hub_->id) {
            entry->slot = own_handle(*found);
            found = &entry->slot;
        } else if (entry) {
            entry->slot.reset();
            entry->hub = hub_->id;
            entry->hash = hash;
        }
    }
    require_usable(**found, version);
    refuse_exclusive((*found)->name(), *version->scheme);
    if (!find_type(*version->scheme, type)) throw_type_error((*found)->name(), *version->scheme, type);
    return *found;
}

/// The cell for what the slot is now, made where it is not there; and the definition, unless the client is made already.
/// Takes no lock and waits for nobody: a writer may be at work on the same slot.
Store::CellHold Store::claim_cell(const std::shared_ptr<Slot>& slot, const std::type_info& type, Definition& definition) {
    std::unique_ptr<ClientCell> fresh;
    for (;;) {
        const ReadSection section;
        const Version* version = slot->current();
        require_usable(*slot, version);
        refuse_exclusive(slot->name(), *version->scheme);
        if (!find_type(*version->scheme, type)) throw_type_error(slot->name(), *version->scheme, type);
        ClientCell* cell = slot->cell_.load(std::memory_order_seq_cst);
        // A cell of a later build: this section began before the commit that it came with, the next one sees that.
        if (cell && cell->build > version->build) continue;
        if (!cell || cell->build < version->build) {
            if (!fresh || fresh->build != version->build) fresh = std::make_unique<ClientCell>(version->build);
            // Inside the section: the writer that replaces this version looks for outdated cells after the section's end.
            if (!slot->cell_.compare_exchange_strong(cell, fresh.get(), std::memory_order_seq_cst)) continue;
            // The commit that outdated it is still under way and takes it from there.
            if (cell) push_orphan(*cell);
            cell = fresh.release();
        }
        CellHold hold{*cell};
        if (!cell->stripes()) definition = materialise(*slot, *version);
        return hold;
    }
}

void Store::push_orphan(ClientCell& cell) noexcept {
    cell.next_orphan = orphans_.load(std::memory_order_relaxed);
    while (!orphans_.compare_exchange_weak(cell.next_orphan, &cell, std::memory_order_release, std::memory_order_relaxed)) {}
}

std::shared_ptr<void> Store::pin_made(const std::shared_ptr<Slot>& slot, const std::type_info& type) {
    constexpr int k_tries = 4;
    for (int tries = 1;; ++tries) {
        Definition definition;
        const CellHold cell = claim_cell(slot, type, definition);
        cell->ensure(slot->name(), [&] {
            // Another thread's attempt may have failed since the claim, which found a client on its way; then the definition is still to be had.
            if (definition.name.empty()) definition = basis_of(*slot).definition;
            ClientCell::Made made;
            const Basis basis{std::move(definition), cell->build, nullptr};
            const SecretKeeper::Resolution resolution = secrets_->resolve(basis.definition);
            made.fingerprint = resolution.fingerprint;
            const Scheme* scheme = catalogue_->find(resolution.definition.scheme);
            if (scheme && scheme->make_client) made.client = make_client(*scheme, resolution.definition, options_.runtime);
            if (!made.client)
                throw Error{RegistryErrc::invalid, "INVALID-CONNECTION", "the scheme of \"" + slot->name() + "\" made no client"}.with_connection(
                    slot->name());
            made.client->observe_uses(uses_->observer(slot->name()));
            made.client = retired_->share(slot->name(), std::move(made.client));
            used(slot, basis, resolution, false);
            return made;
        });
        const ReadSection section;
        const Version* version = slot->current();
        require_usable(*slot, version);
        // Replaced while it was made: the caller gets what is current, unless that never stands still.
        if (version->build != cell->build && tries < k_tries) continue;
        const auto& stripe = (*cell->stripes())[section.stripe() % ClientCell::k_stripes];
        void* client = cast_client(*version->scheme, type, stripe->client.get());
        if (!client) throw_type_error(slot->name(), *version->scheme, type);
        return {stripe, client};
    }
}

std::shared_ptr<void> Store::open(std::string_view name, const std::type_info& type, const OpenOptions& open_options) const {
    Definition definition;
    const Scheme* scheme = nullptr;
    {
        const ReadSection section;
        const Version* version = nullptr;
        const Slot& slot = at(name, version);
        require_usable(slot, version);
        scheme = version->scheme;
        if (!find_type(*scheme, type)) throw_type_error(slot.name(), *scheme, type);
        definition = materialise(slot, *version);
    }
    if (!open_options.options.empty()) {
        // What they replace goes under all its names: they may use another one than the definition.
        for (const auto& [given, value] : open_options.options) {
            for (const OptionSpec& spec : scheme->options) {
                if (given != spec.name && std::find(spec.aliases.begin(), spec.aliases.end(), given) == spec.aliases.end()) continue;
                definition.options.erase(spec.name);
                for (const std::string& alias : spec.aliases) definition.options.erase(alias);
            }
        }
        for (const auto& [given, value] : open_options.options) definition.options.set(given, value);
        Diagnostics diagnostics;
        if (!catalogue_->check(definition, diagnostics)) {
            const auto first =
                std::find_if(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
            std::string why = first == diagnostics.end() ? "they did not pass the check" : first->message;
            if (first != diagnostics.end() && !first->hint.empty()) why += "; " + first->hint;
            throw Error{RegistryErrc::option, "CONNECTION-OPTION-ERROR", "opening \"" + definition.name + "\" with other options: " + why}
                .with_connection(definition.name)
                .with_reason(Reason::bad_value);
        }
    }
    ResolvedDefinition resolved = secrets_->resolve(definition).definition;
    wipe(definition.url);
    if (!open_options.path.empty() || !open_options.path_add.empty()) resolved.url.path = joined_path(resolved.url.path, open_options);
    std::shared_ptr<Client> client = make_client(*scheme, resolved, options_.runtime);
    void* typed = client ? cast_client(*scheme, type, client.get()) : nullptr;
    if (!typed) throw_type_error(definition.name, *scheme, type);
    client->observe_uses(uses_->observer(definition.name));
    return {std::move(client), typed};
}

SlotPlan Store::make_plan(const std::shared_ptr<Slot>& slot, PingDepth depth, const SecretLimits& limits) {
    Basis basis = basis_of(*slot);
    const SecretKeeper::Resolution resolution = secrets_->resolve(basis.definition, limits);
    wipe(basis.definition.url);
    SlotPlan plan{make_ping(*basis.scheme, resolution.definition, depth, options_.runtime), basis.build, resolution.fingerprint};
    used(slot, basis, resolution, true);
    return plan;
}

// --- changes --------------------------------------------------------------------------------------------------------------------------------

Store::Commit::~Commit() {
    for (Change& change : changes)
        if (!change.published) Version::destroy(change.next);
    for (ClientCell* cell : retired) cell->release();
    while (orphans) std::exchange(orphans, orphans->next_orphan)->release();
}

void Store::Commit::event(RegistryChange::Kind kind, std::string name, bool reconnects, std::string problem) {
    events.push_back({kind, std::move(name), reconnects, std::move(problem)});
}

const std::string* Store::intern(const std::string& directory) { return &*directories_.insert(directory).first; }

std::shared_ptr<Slot> Store::slot_for(std::string_view name) {
    if (const auto* slot = find(name, hash_of(name))) return *slot;
    if (const auto held = removed_.find(std::string{name}); held != removed_.end())
        if (auto slot = held->second.lock()) return slot;
    return std::make_shared<Slot>(name, *hub_);
}

std::shared_ptr<Slot> Store::require_slot(std::string_view name) const {
    const auto* slot = find(name, hash_of(name));
    if (!slot) throw_unknown(name);
    return *slot;
}

void Store::derive(Commit& commit, const std::shared_ptr<Slot>& slot, unsigned flags, const Extra* extra, std::uint32_t build) {
    const Version* version = slot->current();
    Version header = *version;
    header.flags = static_cast<std::uint16_t>(flags);
    header.build = build;
    commit.changes.push_back({slot, nullptr});
    commit.changes.back().next =
        Version::make(header, version->content(), extra ? pack_extra(*extra, usual_file(slot->name())) : std::string{version->extra()});
}

void Store::commit(Commit& commit) {
    // All that can fail comes first: new shards with what is added, and those without what is removed.
    for (auto& [name, settings] : commit.kept) kept_.put(std::move(name), std::move(settings));
    struct Replacement {
        std::size_t at;
        std::unique_ptr<const Shard> shard;
    };
    struct Turnover {
        std::vector<std::shared_ptr<Slot>> in;
        std::vector<const Slot*> out;
    };
    std::map<std::size_t, Turnover> turnovers;  // by number of the shard
    std::ptrdiff_t grows = 0;
    for (const Change& change : commit.changes) {
        const std::size_t at = hash_of(change.slot->name()) % k_shards;
        const Version* before = change.slot->head_.load(std::memory_order_relaxed);
        const bool was_there = before && !before->has(Version::k_removed);
        const bool is_there = !change.next->has(Version::k_removed);
        grows += std::ptrdiff_t{is_there} - std::ptrdiff_t{was_there};
        if (is_there && !was_there) turnovers[at].in.push_back(change.slot);
        if (was_there && !is_there) {
            turnovers[at].out.push_back(change.slot.get());
            removed_.insert_or_assign(change.slot->name(), change.slot);
        }
    }
    std::vector<Replacement> with;
    std::vector<Replacement> without;
    for (const auto& [at, turnover] : turnovers) {
        const Shard* shard = shards_[at].load(std::memory_order_relaxed);
        std::vector<std::shared_ptr<Slot>> slots;
        slots.reserve((shard ? shard->slots().size() : 0) + turnover.in.size());
        if (shard) slots.assign(shard->slots().begin(), shard->slots().end());
        slots.insert(slots.end(), turnover.in.begin(), turnover.in.end());
        if (!turnover.out.empty()) {
            std::vector<std::shared_ptr<Slot>> rest;
            rest.reserve(slots.size() - turnover.out.size());
            for (const auto& slot : slots)
                if (std::find(turnover.out.begin(), turnover.out.end(), slot.get()) == turnover.out.end()) rest.push_back(slot);
            without.push_back({at, rest.empty() ? nullptr : std::make_unique<const Shard>(std::move(rest))});
        }
        if (!turnover.in.empty()) with.push_back({at, std::make_unique<const Shard>(std::move(slots))});
    }
    commit.retired.reserve(commit.changes.size());
    if (!without.empty()) std::erase_if(removed_, [](const auto& one) { return one.second.expired(); });

    const auto publish = [this](std::vector<Replacement>& replacements) {
        for (Replacement& one : replacements) one.shard.reset(shards_[one.at].exchange(one.shard.release(), std::memory_order_seq_cst));
    };
    const std::uint64_t epoch = hub_->epoch.load(std::memory_order_relaxed) + 1;
    publish(with);
    for (Change& change : commit.changes) {
        change.next->epoch = epoch;
        change.next->before = change.slot->head_.load(std::memory_order_relaxed);
        change.slot->head_.store(change.next, std::memory_order_seq_cst);
        change.published = true;
    }
    size_.store(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(size_.load(std::memory_order_relaxed)) + grows), std::memory_order_release);
    hub_->epoch.store(epoch, std::memory_order_seq_cst);  // from here on readers see all of it

    wait_for_readers();
    with.clear();
    bool outdates_clients = false;
    for (Change& change : commit.changes) {
        const Version* before = change.next->before;
        if (before && (before->build != change.next->build || !change.next->usable())) outdates_clients = true;
        Version::destroy(std::exchange(change.next->before, nullptr));
    }
    if (outdates_clients) {
        const ReadSection section;  // first users may exchange cells at the same time
        for (const Change& change : commit.changes) {
            ClientCell* cell = change.slot->cell_.load(std::memory_order_seq_cst);
            while (cell && !(cell->build == change.next->build && change.next->usable())) {
                if (!change.slot->cell_.compare_exchange_weak(cell, nullptr, std::memory_order_seq_cst)) continue;
                commit.retired.push_back(cell);
                break;
            }
        }
    }
    publish(without);
    if (outdates_clients || !without.empty()) wait_for_readers();
    without.clear();
    // First users replaced outdated cells only until the exchange above had passed their slot, in sections that have ended by now: all are here. A
    // section that began later may still have found such a cell before it was replaced.
    commit.orphans = orphans_.exchange(nullptr, std::memory_order_acquire);
    if (commit.orphans) wait_for_readers();
    for (const Change& change : commit.changes)
        if (change.next->has(Version::k_removed)) rotation_->forget(change.slot->name());
    for (RegistryChange& event : commit.events) listeners_.publish(std::move(event));
}

void Store::close() {
    listeners_.close();
    rotation_->close();
    retired_->close();
    const std::scoped_lock load_lock{load_mutex_};
    Commit commit;
    const std::scoped_lock lock{write_mutex_};
    closed_ = true;
    {
        const std::scoped_lock paths_lock{paths_mutex_};
        paths_.clear();  // a watch that does not know yet finds nothing
    }
    for (const auto& part : shards_) {
        const Shard* shard = part.load(std::memory_order_relaxed);
        if (!shard) continue;
        for (const auto& slot : shard->slots()) commit.remove(slot);
    }
    this->commit(commit);
    removed_.clear();
}

}  // namespace qconn::core
