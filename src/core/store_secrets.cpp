// SPDX-License-Identifier: Apache-2.0
/// How a store takes over secrets that have changed.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/core/registry_error.hpp>

#include "core/store.hpp"
#include "core/store_commit.hpp"
#include "net/blocking_pool.hpp"
#include "net/runtime_impl.hpp"

namespace qconn::core {
namespace {

void refuse_io_thread(const Runtime& runtime) {
    if (!runtime.on_io_thread()) return;
    throw make_error(Errc::invalid_argument,
                     "refreshing secrets was refused: waiting for them on an I/O thread would stop all that runs there; call it elsewhere");
}

}  // namespace

Store::Basis Store::basis_of(const Slot& slot) const {
    const ReadSection section;
    const Version* version = slot.current();
    require_usable(slot, version);
    return {materialise(slot, *version), version->build, version->scheme};
}

std::shared_ptr<net::BlockingPool> Store::secret_pool(const std::shared_ptr<Slot>& slot) const {
    const ReadSection section;
    const Version* version = slot->current();
    if (!version || !version->usable() || (!may_have_references(version->content()) && !secrets_->may_read_elsewhere(version->scheme)))
        return nullptr;
    return secrets_->pool_for(materialise(*slot, *version));
}

void Store::used(const std::shared_ptr<Slot>& slot, const Basis& basis, const SecretKeeper::Resolution& resolution, bool by_plan) {
    if (!resolution.has_references) return;
    rotation_->add(slot, {basis.build, by_plan ? resolution.fingerprint : 0, resolution.files, resolution.due});
}

bool Store::rotate(const std::shared_ptr<Slot>& slot, const SecretLimits& limits) {
    Basis basis = basis_of(*slot);
    const SecretKeeper::Resolution resolution = secrets_->resolve(basis.definition, limits);
    wipe(basis.definition.url);
    if (!resolution.has_references) return false;
    Commit commit;
    const std::scoped_lock lock{write_mutex_};
    const Version* version = slot->current();
    if (!version || !version->usable() || version->build != basis.build) return false;  // what is made now is made from new ones
    bool outdated = false;
    {
        const ReadSection section;
        const ClientCell* cell = slot->cell();
        outdated = cell && cell->stripes() && cell->build == version->build && cell->fingerprint() != resolution.fingerprint;
    }
    const auto former = rotation_->find(*slot);
    const bool has_plan = former && former->build == version->build && former->plan != 0;
    outdated = outdated || (has_plan && former->plan != resolution.fingerprint);
    rotation_->set(slot, {version->build + (outdated ? 1 : 0), has_plan && !outdated ? resolution.fingerprint : 0, resolution.files, resolution.due});
    if (!outdated) return false;
    derive(commit, slot, version->flags, nullptr, version->build + 1);
    commit.event(RegistryChange::Kind::updated, slot->name(), true);
    this->commit(commit);
    return true;
}

void Store::log_not_refreshed(const std::string& name, std::string_view why) const {
    options_.runtime.log().write({LogLevel::warning, name, "secret-refresh", std::string{why} + "; the former ones stay in use", {}});
}

bool Store::try_rotate(const std::shared_ptr<Slot>& slot, const SecretLimits& limits) noexcept {
    try {
        try {
            return rotate(slot, limits);
        } catch (const Error& error) {
            if (error.code() == RegistryErrc::disabled || error.code() == RegistryErrc::removed || error.code() == RegistryErrc::invalid) {
                rotation_->forget(slot->name());
                return false;
            }
            rotation_->retry(*slot);
            log_not_refreshed(slot->name(), error.message());
        }
    } catch (const std::exception&) {
        // Without memory the former ones stay as well.
    }
    return false;
}

bool Store::refresh_secrets(const std::shared_ptr<Slot>& slot, std::uint64_t fingerprint, const SecretLimits& limits) {
    SecretLimits anew = limits;
    anew.not_before = Clock::now();
    std::uint64_t now = 0;
    try {
        Basis basis = basis_of(*slot);
        now = secrets_->resolve(basis.definition, anew).fingerprint;
        wipe(basis.definition.url);
    } catch (const Error&) { return false; }
    Commit commit;
    const std::scoped_lock lock{write_mutex_};
    const Version* version = slot->current();
    if (!version || !version->usable()) return false;
    bool outdated = false;
    {
        const ReadSection section;
        const ClientCell* cell = slot->cell();
        outdated = cell && cell->stripes() && cell->build == version->build && cell->fingerprint() != now;
    }
    if (outdated) {
        derive(commit, slot, version->flags, nullptr, version->build + 1);
        commit.event(RegistryChange::Kind::updated, slot->name(), true);
        this->commit(commit);
    }
    return now != fingerprint;
}

bool Store::refresh_secrets(std::string_view name, Deadline deadline) {
    refuse_io_thread(options_.runtime);
    const auto of = slot(name);
    if (!rotation_->find(*of)) return false;
    return rotate(of, {.deadline = deadline, .cancelled = {}, .not_before = Clock::now()});
}

std::size_t Store::refresh_all_secrets(Deadline deadline) {
    refuse_io_thread(options_.runtime);
    struct Progress {
        std::mutex mutex;
        std::condition_variable moved;
        std::size_t ended{0};  // guarded by mutex, as the next
        std::size_t changed{0};
        void end(bool has_changed) {
            const std::scoped_lock lock{mutex};
            ++ended;
            changed += has_changed ? 1 : 0;
            moved.notify_all();
        }
    };
    struct Begun {
        std::string name;
        std::shared_ptr<net::BlockingPool> pool;
        std::shared_ptr<net::BlockingPool::Check> check;
        std::shared_ptr<std::atomic<bool>> ended;
    };
    const auto progress = std::make_shared<Progress>();
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    const SecretLimits limits{deadline, cancelled, Clock::now()};
    std::vector<Begun> begun;
    std::vector<std::shared_ptr<Slot>> here;
    std::chrono::milliseconds longest{0};
    for (const auto& slot : rotation_->used()) {
        const auto pool = secret_pool(slot);
        if (!pool) {
            here.push_back(slot);
            continue;
        }
        try {
            longest = std::max(longest, secrets_->longest(basis_of(*slot).definition));
            auto ended = std::make_shared<std::atomic<bool>>(false);
            auto check = pool->post_check([self = shared_from_this(), slot, limits, progress, ended] {
                const bool changed = self->try_rotate(slot, limits);
                *ended = true;
                progress->end(changed);
            });
            begun.push_back({slot->name(), pool, std::move(check), std::move(ended)});
        } catch (const Error& error) {
            rotation_->retry(*slot);
            log_not_refreshed(slot->name(), error.message());
        }
    }
    std::size_t changed = 0;
    for (const auto& slot : here) changed += try_rotate(slot, limits) ? 1 : 0;
    std::unique_lock lock{progress->mutex};
    while (progress->ended < begun.size()) {
        // Each may take its time; where none has ended for so long they hang.
        const std::size_t before = progress->ended;
        const Deadline until = earlier(deadline, Deadline{longest});
        if (!progress->moved.wait_until(lock, until.when(), [&] { return progress->ended != before; })) break;
    }
    changed += progress->changed;
    lock.unlock();
    *cancelled = true;
    for (const Begun& one : begun) {
        if (*one.ended) continue;
        one.pool->give_up(one.check);
        log_not_refreshed(one.name, "the secrets of connection '" + one.name + "' were asked for and there was no answer in time");
    }
    return changed;
}

void Store::begin_turn(const std::vector<std::shared_ptr<Slot>>& slots) {
    for (const auto& slot : slots) {
        const auto pool = secret_pool(slot);
        if (!pool) {
            try_rotate(slot, {});
            continue;
        }
        try {
            pool->post_check([weak = weak_from_this(), slot] {
                if (const auto self = weak.lock()) self->try_rotate(slot, {});
            });
        } catch (const Error& error) {
            rotation_->retry(*slot);
            log_not_refreshed(slot->name(), error.message());
        }
    }
}

void Store::refresh_secret_files() {
    for (const auto& slot : rotation_->used()) {
        const auto use = rotation_->find(*slot);
        if (!use || use->files == SecretKeeper::k_no_files) continue;
        std::uint64_t files = 0;
        try {
            files = secrets_->files_of(basis_of(*slot).definition);
        } catch (const Error&) { continue; }
        if (files == 0 || files != use->files) try_rotate(slot, {});
    }
}

}  // namespace qconn::core
