// SPDX-License-Identifier: Apache-2.0
#include <qconn/ftp/ftp_client.hpp>

#include <algorithm>
#include <utility>

#include "base/redaction.hpp"
#include "file/glob.hpp"
#include "file/temporary_name.hpp"
#include "ftp/operations.hpp"
#include "ftp/settings.hpp"
#include "net/calls.hpp"
#include "net/session_pool.hpp"

namespace qconn {
namespace {

using ftp::Call;
using ftp::Done;
using ftp::Session;
using ftp::Task;
using Pool = net::SessionPool<Session>;

/// The contents of a file, up to a size.
class TextSink final : public ByteSink {
public:
    TextSink(std::string& text, std::uint64_t most) : text_{text}, most_{most} {}
    void write(std::string_view bytes) override {
        if (bytes.size() > most_ - text_.size()) throw TooMuch{};
        text_ += bytes;
    }
    struct TooMuch : std::exception {
        const char* what() const noexcept override { return "it is larger than max_read"; }
    };

private:
    std::string& text_;
    const std::uint64_t most_;
};

Task<std::string> read_all(Session& session, Call& call, const std::string& path, std::uint64_t most) {
    std::string text;
    TextSink sink{text, most};
    const GetOptions whole;
    bool too_large = false;
    std::exception_ptr failed;
    try {
        co_await ftp::get(session, call, path, sink, whole);
    } catch (const Error& error) {
        failed = std::current_exception();
        too_large = error.message().find(TextSink::TooMuch{}.what()) != std::string_view::npos;
    }
    if (too_large)
        throw ftp::failure(call.job(), FtpErrc::limit, Reason::limit, "the file is larger than " + std::to_string(most) + " bytes (max_read_size)");
    if (failed) std::rethrow_exception(failed);
    co_return text;
}

Task<std::vector<FileInfo>> list_all(Session& session, Call& call, const std::string& path, const std::string& pattern) {
    std::vector<FileInfo> all;
    const FileVisitor visitor = [&all, &pattern](FileInfo entry) {
        if (file::is_wanted(pattern, entry.name.c_str())) all.push_back(std::move(entry));
        return true;
    };
    co_await ftp::visit(session, call, path, visitor, file::asks_for_temporary(pattern));
    std::sort(all.begin(), all.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    co_return all;
}

Task<Done> nothing(Session&, Call&) { co_return Done{}; }

std::string_view verb_for(WriteMode mode) noexcept { return mode == WriteMode::append ? "appending to" : "writing"; }

}  // namespace

struct FtpClient::Impl {
    Impl(std::shared_ptr<const ftp::Settings> s, Runtime r)
        : settings{std::move(s)},
          redactions{redactions_of(settings->options.label)},
          calls{r},
          pool{std::make_shared<Pool>(settings, std::move(r))} {}

    const std::shared_ptr<const ftp::Settings> settings;
    const Redactions redactions;  // in force also for what is said after the client has gone
    net::Calls calls;
    const std::shared_ptr<Pool> pool;

    ftp::Job job(std::string_view verb, std::string_view path = {}) const { return settings->job(std::string{verb}, path); }

    ftp::Job job_of_move(std::string_view from, std::string_view to) const {
        ftp::Job moving = job("moving", from);
        moving.target = to;
        return moving;
    }

    void close() {
        calls.close();
        pool->close();
        settings->dialogue->set_listener({});
    }

    /// @param work  Task<T>(Session&, Call&)
    template <class T, class Work>
    T blocking(ftp::Job job, Deadline deadline, Work work) {
        return calls.blocking<T>(std::move(job), deadline,
                                 [&](std::shared_ptr<Call> call) { return net::with_session<T>(pool, std::move(call), work); });
    }

    template <class T, class Work, class Finish>
    Operation start(const std::shared_ptr<Impl>& self, ftp::Job job, Deadline deadline, Work work, Finish finish) {
        return calls.start<T>(
            self, std::move(job), deadline,
            [this, work = std::move(work)](std::shared_ptr<Call> call) mutable {
                return net::with_session<T>(pool, std::move(call), std::move(work));
            },
            std::move(finish));
    }
    template <class T, class Work>
    Operation start_for(const std::shared_ptr<Impl>& self, ftp::Job job, Deadline deadline, Callback<T> callback, Work work) {
        return start<T>(self, std::move(job), deadline, std::move(work),
                        [callback = std::move(callback)](Result<T> outcome) mutable { callback(std::move(outcome)); });
    }
    template <class Work>
    Operation start_void(const std::shared_ptr<Impl>& self, ftp::Job job, Deadline deadline, Callback<void> callback, Work work) {
        return start<Done>(self, std::move(job), deadline, std::move(work), [callback = std::move(callback)](Result<Done> outcome) mutable {
            callback(outcome ? Result<void>{} : Result<void>{outcome.error()});
        });
    }
};

FtpClient::FtpClient(FtpOptions options, Runtime runtime) {
    auto settings = ftp::settings_of(std::move(options), runtime);
    impl_ = std::make_shared<Impl>(std::move(settings), std::move(runtime));
}

FtpClient::~FtpClient() { impl_->close(); }
void FtpClient::stop() noexcept { impl_->close(); }

std::string_view FtpClient::label() const noexcept { return impl_->settings->options.label; }
const FtpOptions& FtpClient::options() const noexcept { return impl_->settings->options; }
void FtpClient::set_dialogue_listener(DialogueListener listener) { impl_->settings->dialogue->set_listener(std::move(listener)); }
bool FtpClient::has_exact_sizes() const noexcept { return !impl_->settings->options.ascii; }
std::size_t FtpClient::useful_transfers() const noexcept { return std::max<std::size_t>(1, impl_->settings->options.max_sessions); }

// Blocking calls keep what they use: the client may be destroyed meanwhile, which ends them.

void FtpClient::connect(Deadline deadline) {
    const auto impl = impl_;
    observed([&] { impl->blocking<Done>(impl->job("connecting"), deadline, [](Session& s, Call& c) { return nothing(s, c); }); });
}
std::vector<FileInfo> FtpClient::list(std::string_view path, std::string_view pattern, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    const std::string glob{pattern};
    return observed([&] {
        return impl->blocking<std::vector<FileInfo>>(impl->job("listing", path), deadline,
                                                     [&](Session& s, Call& c) { return list_all(s, c, where, glob); });
    });
}
void FtpClient::visit(std::string_view path, const FileVisitor& visitor, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    observed(
        [&] { impl->blocking<Done>(impl->job("listing", path), deadline, [&](Session& s, Call& c) { return ftp::visit(s, c, where, visitor); }); });
}
FileInfo FtpClient::stat(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    return observed([&] {
        return impl->blocking<FileInfo>(impl->job("looking at", path), deadline, [&](Session& s, Call& c) { return ftp::stat(s, c, where); });
    });
}
FileInfo FtpClient::stat_link(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    return observed([&] {
        return impl->blocking<FileInfo>(impl->job("looking at", path), deadline, [&](Session& s, Call& c) { return ftp::stat_link(s, c, where); });
    });
}
std::string FtpClient::read(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    return observed([&] {
        return impl->blocking<std::string>(impl->job("reading", path), deadline,
                                           [&](Session& s, Call& c) { return read_all(s, c, where, impl->settings->options.max_read); });
    });
}
void FtpClient::write(std::string_view path, std::string_view data, WriteMode mode, Deadline deadline) {
    const auto source = text_source(data);
    put(path, *source, {.mode = mode}, deadline);
}
std::uint64_t FtpClient::get(std::string_view path, ByteSink& sink, const GetOptions& how, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    return observed([&] {
        return impl->blocking<std::uint64_t>(impl->job("reading", path), deadline,
                                             [&](Session& s, Call& c) { return ftp::get(s, c, where, sink, how); });
    });
}
std::uint64_t FtpClient::put(std::string_view path, ByteSource& source, const PutOptions& how, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    return observed([&] {
        return impl->blocking<std::uint64_t>(impl->job(verb_for(how.mode), path), deadline,
                                             [&](Session& s, Call& c) { return ftp::put(s, c, where, source, how); });
    });
}
void FtpClient::move(std::string_view from, std::string_view to, bool overwrite, Deadline deadline) {
    const auto impl = impl_;
    const std::string one{from};
    const std::string two{to};
    observed([&] {
        impl->blocking<Done>(impl->job_of_move(from, to), deadline, [&](Session& s, Call& c) { return ftp::move(s, c, one, two, overwrite); });
    });
}
void FtpClient::remove(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    observed([&] { impl->blocking<Done>(impl->job("removing", path), deadline, [&](Session& s, Call& c) { return ftp::remove(s, c, where); }); });
}
void FtpClient::make_directory(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    observed([&] {
        impl->blocking<Done>(impl->job("making the directory", path), deadline,
                             [&](Session& s, Call& c) { return ftp::make_directory(s, c, where); });
    });
}
void FtpClient::set_attributes(std::string_view path, const FileAttributes& attributes, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    observed([&] {
        impl->blocking<Done>(impl->job("changing", path), deadline,
                             [&](Session& s, Call& c) { return ftp::set_attributes(s, c, where, attributes); });
    });
}
void FtpClient::make_symlink(std::string_view target, std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string leads_to{target};
    const std::string where{path};
    observed([&] {
        impl->blocking<Done>(impl->job("making the link", path), deadline,
                             [&](Session& s, Call& c) { return ftp::make_symlink(s, c, leads_to, where); });
    });
}
FreeSpace FtpClient::free_space(Deadline) {
    throw ftp::failure(impl_->job("asking for free space"), FtpErrc::failed, Reason::unsupported, "FTP has no command for it", Phase::none);
}
std::vector<std::string> FtpClient::names(std::string_view path, Deadline deadline) {
    const auto impl = impl_;
    const std::string where{path};
    return observed([&] {
        return impl->blocking<std::vector<std::string>>(impl->job("listing", path), deadline,
                                                        [&](Session& s, Call& c) { return ftp::names(s, c, where); });
    });
}
FtpReply FtpClient::command(std::string_view line, Deadline deadline) {
    const auto impl = impl_;
    const std::string what{line};
    return observed([&] {
        return impl->blocking<FtpReply>(impl->job("the command", ftp::verb_of(line)), deadline,
                                        [&](Session& s, Call& c) { return ftp::command(s, c, what); });
    });
}

Operation FtpClient::async_connect(Deadline deadline, Callback<void> callback) {
    return impl_->start_void(impl_, impl_->job("connecting"), deadline, under_way(std::move(callback)),
                             [](Session& s, Call& c) { return nothing(s, c); });
}
Operation FtpClient::async_list(std::string path, std::string pattern, Deadline deadline, Callback<std::vector<FileInfo>> callback) {
    auto job = impl_->job("listing", path);
    return impl_->start_for<std::vector<FileInfo>>(
        impl_, std::move(job), deadline, under_way(std::move(callback)),
        [path = std::move(path), pattern = std::move(pattern)](Session& s, Call& c) { return list_all(s, c, path, pattern); });
}
Operation FtpClient::async_stat(std::string path, Deadline deadline, Callback<FileInfo> callback) {
    auto job = impl_->job("looking at", path);
    return impl_->start_for<FileInfo>(impl_, std::move(job), deadline, under_way(std::move(callback)),
                                      [path = std::move(path)](Session& s, Call& c) { return ftp::stat(s, c, path); });
}
Operation FtpClient::async_read(std::string path, Deadline deadline, Callback<std::string> callback) {
    auto job = impl_->job("reading", path);
    return impl_->start_for<std::string>(
        impl_, std::move(job), deadline, under_way(std::move(callback)),
        [path = std::move(path), most = impl_->settings->options.max_read](Session& s, Call& c) { return read_all(s, c, path, most); });
}
Operation FtpClient::async_write(std::string path, std::string data, WriteMode mode, Deadline deadline, Callback<void> callback) {
    /// The text with the source that reads it.
    struct Held {
        explicit Held(std::string t) : text{std::move(t)}, source{text_source(text)} {}
        const std::string text;
        const std::shared_ptr<ByteSource> source;
        PutOptions options;
    };
    auto job = impl_->job(verb_for(mode), path);
    auto held = std::make_shared<Held>(std::move(data));
    held->options.mode = mode;
    return impl_->start<std::uint64_t>(
        impl_, std::move(job), deadline,
        [path = std::move(path), held](Session& s, Call& c) { return ftp::put(s, c, path, *held->source, held->options); },
        [callback = under_way(std::move(callback)), held](Result<std::uint64_t> outcome) mutable {
            callback(outcome ? Result<void>{} : Result<void>{outcome.error()});
        });
}
Operation FtpClient::async_get(std::string path, std::shared_ptr<ByteSink> sink, GetOptions options, Deadline deadline,
                               Callback<std::uint64_t> callback) {
    auto job = impl_->job("reading", path);
    return impl_->start_for<std::uint64_t>(impl_, std::move(job), deadline, under_way(std::move(callback)),
                                           [path = std::move(path), sink = std::move(sink), options = std::move(options)](Session& s, Call& c) {
                                               return ftp::get(s, c, path, *sink, options);
                                           });
}
Operation FtpClient::async_put(std::string path, std::shared_ptr<ByteSource> source, PutOptions options, Deadline deadline,
                               Callback<std::uint64_t> callback) {
    auto job = impl_->job(verb_for(options.mode), path);
    return impl_->start_for<std::uint64_t>(impl_, std::move(job), deadline, under_way(std::move(callback)),
                                           [path = std::move(path), source = std::move(source), options = std::move(options)](Session& s, Call& c) {
                                               return ftp::put(s, c, path, *source, options);
                                           });
}
Operation FtpClient::async_move(std::string from, std::string to, bool overwrite, Deadline deadline, Callback<void> callback) {
    auto job = impl_->job_of_move(from, to);
    return impl_->start_void(
        impl_, std::move(job), deadline, under_way(std::move(callback)),
        [from = std::move(from), to = std::move(to), overwrite](Session& s, Call& c) { return ftp::move(s, c, from, to, overwrite); });
}
Operation FtpClient::async_remove(std::string path, Deadline deadline, Callback<void> callback) {
    auto job = impl_->job("removing", path);
    return impl_->start_void(impl_, std::move(job), deadline, under_way(std::move(callback)),
                             [path = std::move(path)](Session& s, Call& c) { return ftp::remove(s, c, path); });
}
Operation FtpClient::async_make_directory(std::string path, Deadline deadline, Callback<void> callback) {
    auto job = impl_->job("making the directory", path);
    return impl_->start_void(impl_, std::move(job), deadline, under_way(std::move(callback)),
                             [path = std::move(path)](Session& s, Call& c) { return ftp::make_directory(s, c, path); });
}
Operation FtpClient::async_command(std::string line, Deadline deadline, Callback<FtpReply> callback) {
    auto job = impl_->job("the command", ftp::verb_of(line));
    return impl_->start_for<FtpReply>(impl_, std::move(job), deadline, under_way(std::move(callback)),
                                      [line = std::move(line)](Session& s, Call& c) { return ftp::command(s, c, line); });
}

}  // namespace qconn
