// SPDX-License-Identifier: Apache-2.0
// What is in directories.
#include <array>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "file/temporary_name.hpp"
#include "ftp/listing.hpp"
#include "ftp/operations.hpp"

namespace qconn::ftp {
namespace {

using net::IoResult;

constexpr std::size_t k_max_listing_line = std::size_t{64} * 1024;

/// A function that is given each line of a listing; false: no more.
using LineTaker = UniqueFunction<bool(std::string_view)>;

/// Lines out of pieces.
class LineSplitter {
public:
    LineSplitter(const Job& job, LineTaker& take) : job_{job}, take_{take} {}
    /// @returns whether more is wanted
    bool feed(std::string_view piece) {
        while (!piece.empty()) {
            const std::size_t end = piece.find('\n');
            if (end == std::string_view::npos || !kept_.empty()) {
                kept_ += piece.substr(0, end);
                if (kept_.size() > k_max_listing_line)
                    throw failure(job_, FtpErrc::failed, Reason::limit, "a line of the listing is longer than any should be");
                if (end == std::string_view::npos) return true;
                const std::string line = std::exchange(kept_, {});
                if (!give(line)) return false;
            } else if (!give(piece.substr(0, end))) {
                return false;
            }
            piece.remove_prefix(end + 1);
        }
        return true;
    }
    bool end() { return kept_.empty() || give(std::exchange(kept_, {})); }

private:
    bool give(std::string_view line) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        return take_(line);
    }
    const Job& job_;
    LineTaker& take_;
    std::string kept_;
};

/// One listing. The transfer has begun.
Task<Done> read_lines(Session& session, Call& call, Transfer& transfer, LineTaker& take, Reason otherwise) {
    std::array<char, 32 * 1024> buffer;  // NOLINT: filled by read_some
    LineSplitter splitter{call.job(), take};
    bool more = true;
    for (bool ended = false; more && !ended;) {
        call.check();
        auto step = transfer.data->read_some(buffer.data(), buffer.size());
        switch (step.kind) {
            case IoResult::Kind::done:
                transfer.bytes += step.size;
                more = splitter.feed({buffer.data(), step.size});
                break;
            case IoResult::Kind::closed:
                more = splitter.end();
                ended = true;
                break;
            case IoResult::Kind::want_read:
            case IoResult::Kind::want_write: {
                const auto side = step.kind == IoResult::Kind::want_read ? net::Ready::read : net::Ready::write;
                co_await session.wait_data(call, transfer, side, otherwise);
                break;
            }
            case IoResult::Kind::failed: {
                std::optional<Error> broken = std::move(step.error);
                co_await session.explain(call, transfer, std::move(broken), otherwise);
                break;
            }
        }
    }
    if (!more) {
        transfer.data->abort();
        co_await session.recover(call);
        co_return Done{};
    }
    transfer.data.reset();
    co_await session.finish(call, transfer, otherwise);
    co_return Done{};
}

/// A listing of the current directory after a CWD, so that no server takes a name for options or patterns.
Task<Done> list_here(Session& session, Call& call, std::string line, LineTaker& take) {
    Transfer transfer = co_await session.begin(call, std::move(line), 0, Reason::not_found);
    co_await read_lines(session, call, transfer, take, Reason::not_found);
    co_return Done{};
}

Task<Done> enter(Session& session, Call& call, const std::string& path) {
    if (path.empty()) co_return Done{};
    FtpReply got = co_await session.enter(call, path);
    if (!is_positive(got)) throw refusal(call.job(), "CWD", got, Reason::not_found);
    co_return Done{};
}

/// In another directory, from which the session comes back, at the latest when it is brought into order.
Task<Done> list_in(Session& session, Call& call, const std::string& path, std::string line, std::string otherwise_line, LineTaker& take) {
    co_await enter(session, call, path);
    std::exception_ptr failed;
    bool unknown = false;
    try {
        co_await list_here(session, call, std::move(line), take);
    } catch (const Error& error) {
        failed = std::current_exception();
        const auto* detail = error.detail<FtpErrorDetail>();
        unknown = detail != nullptr && detail->reply.code / 100 == 5 && !otherwise_line.empty() && session.is_clean();
    } catch (...) { failed = std::current_exception(); }
    if (unknown) {
        failed = nullptr;
        try {
            co_await list_here(session, call, std::move(otherwise_line), take);
        } catch (...) { failed = std::current_exception(); }
    }
    if (session.is_clean()) co_await session.go_back(call);
    if (failed) std::rethrow_exception(failed);
    co_return Done{};
}

/// Each line as an entry to the visitor.
struct Lister {
    const Job& job;
    const FileVisitor& visitor;
    bool machine{true};
    bool with_temporary{false};
    std::chrono::system_clock::time_point now{std::chrono::system_clock::now()};

    bool operator()(std::string_view line) const {
        ListingLine parsed = machine ? parse_mlst(line) : parse_list(line, now);
        if (parsed.kind == ListingLine::Kind::nothing) return true;
        if (parsed.kind == ListingLine::Kind::unreadable)
            throw failure(job, FtpErrc::failed, Reason::bad_answer,
                          "a line of the listing cannot be read: \"" + text::printable(text::shorten(line, 200)) + '"');
        if (file::is_temporary(parsed.info.name) && !with_temporary) return true;
        return of_caller(job, [&] { return visitor(std::move(parsed.info)); });
    }
};

}  // namespace

Task<Done> visit(Session& session, Call& call, const std::string& given, const FileVisitor& visitor, bool with_temporary) {
    const Job& job = call.job();
    check_path(job, given, true);
    const std::string path = tidy_path(given);
    if (session.features().mlst) {
        std::optional<Error> refused;
        LineTaker take = Lister{job, visitor, true, with_temporary};
        try {
            std::string line = line_of("MLSD", path);
            co_await list_here(session, call, std::move(line), take);
        } catch (const Error& error) { refused = error; }
        if (!refused) co_return Done{};
        const auto* detail = refused->detail<FtpErrorDetail>();
        const int code = detail != nullptr ? detail->reply.code : 0;
        if (code != 500 && code != 502 && code != 504) throw *refused;
        session.forget_mlst();
    }
    LineTaker take = Lister{job, visitor, false, with_temporary};
    co_await list_in(session, call, path, "LIST -a", "LIST", take);
    co_return Done{};
}

Task<std::vector<std::string>> names(Session& session, Call& call, const std::string& given) {
    check_path(call.job(), given, true);
    const std::string path = tidy_path(given);
    std::vector<std::string> all;
    LineTaker take = [&all](std::string_view line) {
        while (line.starts_with("./")) line.remove_prefix(2);
        if (!line.empty() && line != "." && line != ".." && !file::is_temporary(line)) all.emplace_back(line);
        return true;
    };
    std::optional<Error> refused;
    try {
        co_await list_in(session, call, path, "NLST", {}, take);
    } catch (const Error& error) { refused = error; }
    if (refused) {
        // An empty directory is refused by some.
        const auto* detail = refused->detail<FtpErrorDetail>();
        const std::string words = detail != nullptr ? text::to_lower(detail->reply.text()) : std::string{};
        if (words.find("no files") == std::string::npos) throw *refused;
    }
    co_return all;
}

}  // namespace qconn::ftp
