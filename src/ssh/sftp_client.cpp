// SPDX-License-Identifier: Apache-2.0
#include <qconn/ssh/sftp_client.hpp>

#include <algorithm>
#include <utility>

#include "base/outcome_box.hpp"
#include "net/runtime_impl.hpp"
#include "ssh/sessions.hpp"
#include "ssh/sftp_ends.hpp"
#include "ssh/sftp_engine.hpp"
#include "ssh/sftp_factory.hpp"
#include "ssh/sftp_operations.hpp"

namespace qconn {

namespace sftp {

namespace {

std::string verb_of_mode(WriteMode mode) { return mode == WriteMode::append ? "appending to" : "writing"; }

Task<std::string> read_whole(Call& call) {
    const std::uint64_t most = call.engine().options().max_read;
    std::function<Error()> too_large = [&call, most] {
        return sftp_error(call.subject(), SftpErrc::limit, Reason::limit,
                          "the file is larger than " + std::to_string(most) + " bytes (max_read_size)");
    };
    const auto drain = std::make_shared<TextDrain>(most, std::move(too_large));
    co_await get(call, drain, 0, std::numeric_limits<std::uint64_t>::max());
    co_return std::move(drain->text);
}

Task<std::vector<FileInfo>> list_sorted(Call& call, std::string pattern) {
    const auto taker = std::make_shared<VectorTaker>();
    co_await list(call, pattern, taker);
    std::sort(taker->entries.begin(), taker->entries.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    co_return std::move(taker->entries);
}

/// Holds the text that it reads.
class OwnText final : public ByteSource {
public:
    explicit OwnText(std::string text) : text_{std::move(text)}, source_{text_source(text_)} {}
    std::optional<std::uint64_t> size() const override { return source_->size(); }
    std::size_t read(char* to, std::size_t most) override { return source_->read(to, most); }
    bool seek(std::uint64_t position) override { return source_->seek(position); }

private:
    const std::string text_;
    const std::shared_ptr<ByteSource> source_;
};

Task<void> write_text(Call& call, std::shared_ptr<Feed> feed, WriteMode mode) {
    PutOptions how;
    how.mode = mode;
    co_await put(call, feed, how);
}

/// Of a blocking call: its Error as it is, anything else as one of ours.
[[noreturn]] void rethrow_callers(const Engine& engine, const std::string& verb, std::string_view path, const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error&) { throw; } catch (const std::exception& error) {
        throw failed_end({engine.options().label, engine.server(), verb, path}, error.what());
    } catch (...) { throw failed_end({engine.options().label, engine.server(), verb, path}, "an exception that is no std::exception"); }
}

void refuse_on_loop(const Engine& engine) {
    if (!engine.runtime().on_io_thread()) return;
    throw make_error(Errc::invalid_argument,
                     "a blocking SFTP call was made on an I/O thread of its runtime, where it would hold up everything else; use the asynchronous "
                     "form, or post_blocking")
        .with_connection(engine.options().label);
}

/// Starts it and waits, and works at the desk meanwhile.
template <class T>
T wait_at(const std::shared_ptr<Desk>& desk, Engine& engine, const std::string& verb, std::string_view path, Deadline deadline,
          std::function<Task<T>(Call&)> body) {
    refuse_on_loop(engine);
    // Written before finish(), read after serve().
    const auto outcome = std::make_shared<std::optional<Result<T>>>();
    Operation operation = engine.start<T>(verb, std::string{path}, deadline, std::move(body), [outcome, desk](Result<T> result) {
        const bool good = result.has_value();
        outcome->emplace(std::move(result));
        desk->finish(good);
    });
    desk->serve([&] { operation.cancel(); });
    if (desk->thrown()) rethrow_callers(engine, verb, path, desk->thrown());
    return std::move(**outcome).value();
}

std::shared_ptr<net::Loop> loop_of(const Engine& engine) { return engine.loop().shared_from_this(); }

template <class T>
T wait_for(Engine& engine, const std::string& verb, std::string_view path, Deadline deadline, std::function<Task<T>(Call&)> body) {
    return wait_at<T>(std::make_shared<WaitDesk>(loop_of(engine)), engine, verb, path, deadline, std::move(body));
}

}  // namespace

std::unique_ptr<SftpClient> make_sftp_client(std::shared_ptr<ssh::ChannelSource> source, SftpOptions options, Runtime runtime) {
    return std::make_unique<SftpClient>(std::make_shared<Engine>(std::move(source), std::move(options), std::move(runtime)));
}

}  // namespace sftp

using sftp::Call;
using sftp::Task;

namespace {

SftpOptions labelled(SftpOptions options) {
    if (options.label.empty()) options.label = options.ssh.label;
    return options;
}

}  // namespace

SftpClient::SftpClient(std::shared_ptr<sftp::Engine> engine, std::shared_ptr<ssh::Sessions> sessions)
    : engine_{std::move(engine)}, sessions_{std::move(sessions)} {}
SftpClient::SftpClient(SftpOptions options, Runtime runtime) {
    options = labelled(std::move(options));
    sessions_ = ssh::Sessions::make(options.ssh, runtime);
    engine_ = std::make_shared<sftp::Engine>(sessions_, std::move(options), std::move(runtime));
}
// Not moved: a blocking call of another thread may just have copied it.
SftpClient::~SftpClient() {
    sftp::Engine::close(engine_);
    if (!engine_->runtime().on_io_thread()) engine_->wait_for_end();
}
void SftpClient::stop() noexcept { sftp::Engine::close(engine_); }

SshSessionInfo SftpClient::connect(Deadline deadline) {
    return observed([&] {
        sftp::refuse_on_loop(*engine_);
        const auto box = std::make_shared<OutcomeBox<SshSessionInfo>>();
        sessions_->connect(deadline, [box](Result<SshSessionInfo> result) { box->put(std::move(result)); });
        return box->take();
    });
}

std::string_view SftpClient::label() const noexcept { return engine_->options().label; }
const SftpOptions& SftpClient::options() const noexcept { return engine_->options(); }

// Blocking calls keep what they use: the client may be destroyed meanwhile.
void SftpClient::check(Deadline deadline) {
    const auto engine = engine_;
    observed(
        [&] { sftp::wait_for<void>(*engine, "looking at the directory", options().path, deadline, [](Call& call) { return sftp::check(call); }); });
}
std::vector<FileInfo> SftpClient::list(std::string_view path, std::string_view pattern, Deadline deadline) {
    const auto engine = engine_;
    return observed([&] {
        return sftp::wait_for<std::vector<FileInfo>>(*engine, "listing", path, deadline,
                                                     [glob = std::string{pattern}](Call& call) { return sftp::list_sorted(call, glob); });
    });
}
void SftpClient::visit(std::string_view path, const FileVisitor& visitor, Deadline deadline) {
    const auto engine = engine_;
    observed([&] {
        const auto desk = std::make_shared<sftp::VisitorDesk>(visitor, sftp::loop_of(*engine));
        sftp::wait_at<void>(desk, *engine, "listing", path, deadline, [desk](Call& call) { return sftp::list(call, {}, desk); });
    });
}
FileInfo SftpClient::stat(std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    return observed(
        [&] { return sftp::wait_for<FileInfo>(*engine, "looking at", path, deadline, [](Call& call) { return sftp::stat(call, true); }); });
}
FileInfo SftpClient::stat_link(std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    return observed(
        [&] { return sftp::wait_for<FileInfo>(*engine, "looking at", path, deadline, [](Call& call) { return sftp::stat(call, false); }); });
}
std::string SftpClient::read(std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    return observed([&] { return sftp::wait_for<std::string>(*engine, "reading", path, deadline, &sftp::read_whole); });
}
void SftpClient::write(std::string_view path, std::string_view data, WriteMode mode, Deadline deadline) {
    const auto source = text_source(data);
    PutOptions how;
    how.mode = mode;
    put(path, *source, how, deadline);
}
std::uint64_t SftpClient::get(std::string_view path, ByteSink& sink, const GetOptions& how, Deadline deadline) {
    const auto engine = engine_;
    return observed([&] {
        const auto desk = std::make_shared<sftp::SinkDesk>(sink, how.progress, how.from, sftp::loop_of(*engine));
        return sftp::wait_at<std::uint64_t>(desk, *engine, "reading", path, deadline,
                                            [desk, from = how.from, most = how.most](Call& call) { return sftp::get(call, desk, from, most); });
    });
}
std::uint64_t SftpClient::put(std::string_view path, ByteSource& source, const PutOptions& how, Deadline deadline) {
    const auto engine = engine_;
    return observed([&] {
        sftp::refuse_on_loop(*engine);
        const std::string verb = sftp::verb_of_mode(how.mode);
        std::shared_ptr<sftp::SourceDesk> desk;
        try {
            desk = std::make_shared<sftp::SourceDesk>(source, how.progress, engine->upload_pool(), sftp::loop_of(*engine));
            // Not before there is a session: a source that can be read just once is kept for the next attempt.
            if (!how.resume && engine->is_up()) desk->prime();
        } catch (...) { sftp::rethrow_callers(*engine, verb, path, std::current_exception()); }
        return sftp::wait_at<std::uint64_t>(desk, *engine, verb, path, deadline, [desk, how](Call& call) { return sftp::put(call, desk, how); });
    });
}
void SftpClient::move(std::string_view from, std::string_view to, bool overwrite, Deadline deadline) {
    const auto engine = engine_;
    observed([&] {
        sftp::wait_for<void>(*engine, "moving", from, deadline,
                             [target = std::string{to}, overwrite](Call& call) { return sftp::move(call, target, overwrite); });
    });
}
void SftpClient::remove(std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    observed([&] { sftp::wait_for<void>(*engine, "removing", path, deadline, &sftp::remove); });
}
void SftpClient::make_directory(std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    observed([&] { sftp::wait_for<void>(*engine, "making the directory", path, deadline, &sftp::make_directory); });
}
FreeSpace SftpClient::free_space(Deadline deadline) {
    const auto engine = engine_;
    return observed([&] { return sftp::wait_for<FreeSpace>(*engine, "asking for free space", {}, deadline, &sftp::free_space); });
}
void SftpClient::set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline) {
    const auto engine = engine_;
    observed([&] {
        sftp::wait_for<void>(*engine, "changing", path, deadline, [attributes](Call& call) { return sftp::set_attributes(call, attributes); });
    });
}
void SftpClient::make_symlink(std::string_view target, std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    observed([&] {
        sftp::wait_for<void>(*engine, "making the link", path, deadline,
                             [to = std::string{target}](Call& call) { return sftp::make_symlink(call, to); });
    });
}
void SftpClient::make_hard_link(std::string_view existing, std::string_view path, Deadline deadline) {
    const auto engine = engine_;
    observed([&] {
        sftp::wait_for<void>(*engine, "making the link", path, deadline,
                             [from = std::string{existing}](Call& call) { return sftp::make_hard_link(call, from); });
    });
}

Operation SftpClient::async_check(Deadline deadline, Callback<void> callback) {
    return engine_->start<void>("looking at the directory", options().path, deadline, &sftp::check, under_way(std::move(callback)));
}
Operation SftpClient::async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) {
    return engine_->start<std::vector<FileInfo>>(
        "listing", std::move(path), deadline, [glob = std::move(pattern)](Call& call) { return sftp::list_sorted(call, glob); },
        under_way(std::move(callback)));
}
Operation SftpClient::async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) {
    return engine_->start<FileInfo>(
        "looking at", std::move(path), deadline, [](Call& call) { return sftp::stat(call, true); }, under_way(std::move(callback)));
}
Operation SftpClient::async_read(std::string path, Deadline deadline, Callback<std::string> callback) {
    return engine_->start<std::string>("reading", std::move(path), deadline, &sftp::read_whole, under_way(std::move(callback)));
}
Operation SftpClient::async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) {
    auto source = std::make_shared<sftp::OwnText>(std::move(data));
    return engine_->start<void>(
        sftp::verb_of_mode(mode), std::move(path), deadline,
        [source = std::move(source), mode](Call& call) {
            return sftp::write_text(call, std::make_shared<sftp::SourceFeed>(source, Progress{}, call.engine().upload_pool()), mode);
        },
        under_way(std::move(callback)));
}
Operation SftpClient::async_get(std::string path, std::shared_ptr<ByteSink> sink, GetOptions how, Deadline deadline,
                                Callback<std::uint64_t> callback) {
    auto drain = std::make_shared<sftp::SinkDrain>(std::move(sink), std::move(how.progress), how.from);
    return engine_->start<std::uint64_t>(
        "reading", std::move(path), deadline,
        [drain = std::move(drain), from = how.from, most = how.most](Call& call) { return sftp::get(call, drain, from, most); },
        under_way(std::move(callback)));
}
Operation SftpClient::async_put(std::string path, std::shared_ptr<ByteSource> source, PutOptions how, Deadline deadline,
                                Callback<std::uint64_t> callback) {
    return engine_->start<std::uint64_t>(
        sftp::verb_of_mode(how.mode), std::move(path), deadline,
        [source = std::move(source), how = std::move(how)](Call& call) {
            return sftp::put(call, std::make_shared<sftp::SourceFeed>(source, how.progress, call.engine().upload_pool()), how);
        },
        under_way(std::move(callback)));
}
Operation SftpClient::async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) {
    return engine_->start<void>(
        "moving", std::move(from), deadline, [to = std::move(to), overwrite](Call& call) { return sftp::move(call, to, overwrite); },
        under_way(std::move(callback)));
}
Operation SftpClient::async_remove(std::string path, Deadline deadline, Callback<void> callback) {
    return engine_->start<void>("removing", std::move(path), deadline, &sftp::remove, under_way(std::move(callback)));
}
Operation SftpClient::async_make_directory(std::string path, Deadline deadline, Callback<void> callback) {
    return engine_->start<void>("making the directory", std::move(path), deadline, &sftp::make_directory, under_way(std::move(callback)));
}

}  // namespace qconn
