// SPDX-License-Identifier: Apache-2.0
// Names of files: looked at, moved, made, removed.
#include "ftp/operations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "ftp/listing.hpp"

namespace qconn::ftp {
namespace {

/// Those that would change what a session is, or need a data connection.
constexpr std::array<std::string_view, 32> k_own_commands{"user", "pass", "acct", "auth", "prot", "pbsz", "ccc",  "rein", "quit", "cwd",  "xcwd",
                                                          "cdup", "xcup", "type", "mode", "stru", "pasv", "epsv", "port", "eprt", "lpsv", "lprt",
                                                          "retr", "stor", "stou", "appe", "list", "nlst", "mlsd", "rest", "abor", "opts"};

/// The line of facts in a reply to MLST; empty: there is none.
std::string_view facts_of(const FtpReply& reply) {
    for (const std::string& line : reply.lines) {
        std::string_view one = line;
        if (!one.starts_with(' ')) continue;
        one.remove_prefix(1);
        if (one.find('=') != std::string_view::npos || one.find("; ") != std::string_view::npos) return one;
    }
    return {};
}

std::optional<std::uint64_t> number_in(const FtpReply& reply) {
    if (reply.code != 213) return std::nullopt;
    const std::string text = reply.text();
    const std::string_view digits = text::trim(text);
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return failed == std::errc{} && end != digits.data() ? std::optional{number} : std::nullopt;
}

/// The server does not know MLST, whatever it says that it can do.
bool is_missing(const FtpReply& reply) noexcept { return reply.code == 500 || reply.code == 502 || reply.code == 504; }

/// What MLST tells. None: the server has no MLST.
/// @throws Error where there is no such file
Task<std::optional<FileInfo>> facts(Session& session, Call& call, const std::string& path) {
    std::optional<FileInfo> info;
    if (!session.features().mlst) co_return info;
    // ProFTPD tells the size of a link as that of the file that it leads to; SIZE is right.
    const bool sized = !path.empty() && !session.settings().options.ascii;
    std::string lines = line_of("MLST", path) + "\r\n";
    if (sized) lines += line_of("SIZE", path) + "\r\n";
    co_await session.send(call, std::move(lines));
    FtpReply got = co_await session.reply(call, "MLST");
    FtpReply size;
    if (sized) size = co_await session.reply(call, "SIZE");
    if (is_missing(got)) {
        session.forget_mlst();
        co_return info;
    }
    if (!is_positive(got)) throw refusal(call.job(), "MLST", got, Reason::not_found);
    ListingLine parsed = parse_mlst(facts_of(got));
    if (parsed.kind == ListingLine::Kind::unreadable)
        throw failure(call.job(), FtpErrc::failed, Reason::bad_answer, "the answer to MLST cannot be read: \"" + shown(got) + '"');
    info = std::move(parsed.info);
    if (const auto bytes = number_in(size); bytes && info->type == FileType::file) info->size = *bytes;
    co_return info;
}

/// From the root, without empty parts and "."; to compare with another one.
std::string whole_path(const Session& session, std::string_view path) {
    std::string whole;
    const auto add = [&whole](std::string_view text) {
        for (const std::string_view part : text::split(text, '/')) {
            if (!part.empty() && part != ".") whole.append(1, '/').append(part);
        }
    };
    if (!path.starts_with('/')) add(session.directory());
    add(path);
    return whole;
}

/// RNTO was refused, and where it was to go there is no directory.
Error no_folder(const Job& job, const std::string& folder, const FtpReply& reply) {
    const std::string what = "there is no directory \"" + text::printable(folder) + "\" that could be entered (the server answered RNTO with \"" +
                             shown(reply) + "\"); make it first, or check the path of the target";
    return failure(job, FtpErrc::failed, Reason::not_found, what).with_detail(std::make_shared<FtpErrorDetail>(reply, "RNTO", job.subject));
}

/// RMD was refused for a directory that is there. @param certain  the server says so
Error not_empty(const Job& job, const FtpReply& reply, bool certain) {
    const std::string what = std::string{"the directory is "} + (certain ? "not empty" : "probably not empty") + " (the server answered RMD with \"" +
                             shown(reply) + "\"); remove_tree removes it with all that is in it";
    return failure(job, FtpErrc::failed, Reason::exists, what).with_detail(std::make_shared<FtpErrorDetail>(reply, "RMD", job.subject));
}

std::string shown_name(std::string_view path) {
    const std::string_view name = name_of(path);
    return name.empty() ? (path.empty() ? "." : "/") : std::string{name};
}

/// The last resort: whether its directory has an entry of that name.
Task<bool> is_listed(Session& session, Call& call, const std::string& path) {
    bool found = false;
    const std::string name{name_of(path)};
    const FileVisitor visitor = [&found, &name](const FileInfo& entry) {
        found = entry.name == name;
        return !found;
    };
    const std::string folder = tidy_path(folder_of(path));
    co_await visit(session, call, folder, visitor);
    co_return found;
}

}  // namespace

void check_path(const Job& job, std::string_view path, bool may_be_empty) {
    if (path.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
        throw failure(job, FtpErrc::path, Reason::bad_value, "FTP cannot send a path with a line break or a zero in it", Phase::none);
    if (path.empty() && !may_be_empty) throw failure(job, FtpErrc::path, Reason::bad_value, "the path is empty", Phase::none);
}

std::string tidy_path(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path == "." ? std::string{} : std::string{path};
}

std::string line_of(std::string_view verb, std::string_view path) {
    std::string line{verb};
    if (!path.empty()) line.append(1, ' ').append(path);
    return line;
}

std::string_view folder_of(std::string_view path) noexcept {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash + 1);
}

std::string_view name_of(std::string_view path) noexcept { return path.substr(folder_of(path).size()); }

Task<bool> is_directory(Session& session, Call& call, const std::string& path) {
    if (path.empty()) co_return true;
    FtpReply got = co_await session.enter(call, path);
    if (!is_positive(got)) co_return false;
    co_await session.go_back(call);
    co_return true;
}

Task<bool> exists(Session& session, Call& call, const std::string& path) {
    std::string line;
    if (session.features().mlst) {
        line = line_of("MLST", path);
        FtpReply facts = co_await session.command(call, std::move(line));
        if (is_positive(facts)) co_return true;
        if (is_missing(facts)) session.forget_mlst();
        // Other refusals do not say that it is not there.
        if (reason_of(facts, Reason::none) == Reason::not_found) co_return false;
    }
    // Text has no size that a server would tell at once.
    const std::string_view verb = session.settings().options.ascii ? "MDTM" : "SIZE";
    line = line_of(verb, path);
    FtpReply got = co_await session.command(call, std::move(line));
    if (is_positive(got)) co_return true;
    const bool directory = co_await is_directory(session, call, path);
    if (directory) co_return true;
    if (is_unknown(got)) {
        const bool listed = co_await is_listed(session, call, path);
        co_return listed;
    }
    if (got.code / 100 != 5 || reason_of(got, Reason::not_found) != Reason::not_found) throw refusal(call.job(), verb, got);
    co_return false;
}

Task<FileInfo> stat(Session& session, Call& call, const std::string& given) {
    const Job& job = call.job();
    check_path(job, given, true);
    const std::string path = tidy_path(given);
    std::optional<FileInfo> told = co_await facts(session, call, path);
    if (told && told->type != FileType::symlink) {
        told->name = shown_name(path);
        co_return std::move(*told);
    }
    // No MLST, or one that does not follow links.
    FileInfo info;
    info.name = shown_name(path);
    std::string lines = line_of("SIZE", path) + "\r\n" + line_of("MDTM", path) + "\r\n";
    FtpReply size;
    if (!path.empty()) {
        co_await session.send(call, std::move(lines));
        size = co_await session.reply(call, "SIZE");
        FtpReply time = co_await session.reply(call, "MDTM");
        if (time.code == 213) info.modified = parse_time(time.text());
    }
    if (const auto bytes = number_in(size)) {
        info.type = FileType::file;
        info.size = *bytes;
        co_return info;
    }
    const bool directory = co_await is_directory(session, call, path);
    if (directory) {
        info.type = FileType::directory;
        co_return info;
    }
    if (told) throw failure(job, FtpErrc::failed, Reason::not_found, "it is a link that leads nowhere");
    throw refusal(job, "SIZE", size, Reason::not_found);
}

Task<FileInfo> stat_link(Session& session, Call& call, const std::string& given) {
    check_path(call.job(), given, true);
    const std::string path = tidy_path(given);
    const std::string name{name_of(path)};
    if (name.empty() || name == "..") {
        FileInfo info = co_await stat(session, call, path);
        co_return info;
    }
    std::optional<FileInfo> found;
    const FileVisitor visitor = [&found, &name](FileInfo entry) {
        if (entry.name == name) found = std::move(entry);
        return !found;
    };
    const std::string folder = tidy_path(folder_of(path));
    co_await visit(session, call, folder, visitor);
    if (!found) throw failure(call.job(), FtpErrc::failed, Reason::not_found, "its directory has no entry of that name; check the path");
    co_return std::move(*found);
}

Task<FtpReply> rename(Session& session, Call& call, const std::string& from, const std::string& to) {
    std::string lines = line_of("RNFR", from) + "\r\n" + line_of("RNTO", to) + "\r\n";
    co_await session.send(call, std::move(lines));
    FtpReply first = co_await session.reply(call, "RNFR");
    FtpReply second = co_await session.reply(call, "RNTO");
    if (first.code / 100 != 3) throw refusal(call.job(), "RNFR", first, Reason::not_found);
    co_return second;
}

Task<Done> rename_over(Session& session, Call& call, const std::string& from, const std::string& to, const FtpReply& refused) {
    const Job& job = call.job();
    if (!session.settings().options.delete_before_rename) {
        if (reason_of(refused, Reason::permission) != Reason::exists) throw refusal(job, "RNTO", refused, Reason::permission);
        throw failure(job, FtpErrc::failed, Reason::exists,
                      "the server lets no rename replace a file (\"" + shown(refused) + "\"); set the option delete_before_rename");
    }
    // From here on `from` may be all that there is of the file: it stays, whatever happens.
    std::string unfinished = std::exchange(session.unfinished, {});
    std::optional<Error> failed;
    std::string_view old = "may have been removed";
    bool stays = false;
    try {
        std::string line = line_of("DELE", to);
        FtpReply removed = co_await session.command(call, std::move(line));
        stays = !is_positive(removed);
        if (stays) throw refusal(job, "DELE", removed, Reason::permission);
        old = "has been removed";
        FtpReply renamed = co_await rename(session, call, from, to);
        if (!is_positive(renamed)) throw refusal(job, "RNTO", renamed, Reason::permission);
    } catch (const Error& error) { failed = error; }
    if (!failed) co_return Done{};
    if (stays)
        session.unfinished = std::move(unfinished);
    else
        failed->with_prefix('"' + text::printable(to) + "\" " + std::string{old} + ", and what was to take its place is in \"" +
                            text::printable(from) + "\": ");
    throw *failed;
}

Task<Done> move(Session& session, Call& call, const std::string& from, const std::string& to, bool overwrite) {
    check_path(call.job(), from);
    check_path(call.job(), to);
    if (!overwrite) {
        const bool there = co_await exists(session, call, to);
        if (there) {
            const std::string what = '"' + text::printable(to) + "\" is there already; remove it first, or move with overwrite";
            throw failure(call.job(), FtpErrc::failed, Reason::exists, what);
        }
    }
    if (whole_path(session, from) == whole_path(session, to)) {  // a server may remove the one for the other
        co_await stat(session, call, from);
        co_return Done{};
    }
    FtpReply renamed = co_await rename(session, call, from, to);
    if (is_positive(renamed)) co_return Done{};
    const Reason reason = reason_of(renamed, Reason::permission);
    const std::string folder = tidy_path(folder_of(to));
    if ((reason == Reason::permission || reason == Reason::not_found) && !folder.empty()) {
        const bool there = co_await is_directory(session, call, folder);
        if (!there) throw no_folder(call.job(), folder, renamed);
    }
    if (!overwrite) throw refusal(call.job(), "RNTO", renamed, Reason::permission);
    co_await rename_over(session, call, from, to, renamed);
    co_return Done{};
}

Task<Done> remove(Session& session, Call& call, const std::string& given) {
    const Job& job = call.job();
    const std::string path = tidy_path(given);
    check_path(job, path);
    std::string line = line_of("DELE", path);
    FtpReply file = co_await session.command(call, std::move(line));
    if (is_positive(file)) co_return Done{};
    if (file.code / 100 != 5 || reason_of(file, Reason::none) == Reason::not_found) throw refusal(job, "DELE", file, Reason::not_found);
    line = line_of("RMD", path);
    FtpReply folder = co_await session.command(call, std::move(line));
    if (is_positive(folder)) co_return Done{};
    // Both refuse: which of the two is the answer depends on what it is.
    if (reason_of(folder, Reason::none) == Reason::exists) throw not_empty(job, folder, true);
    const bool directory = co_await is_directory(session, call, path);
    if (directory && reason_of(folder, Reason::exists) == Reason::exists) throw not_empty(job, folder, false);
    if (directory) throw refusal(job, "RMD", folder);
    const bool there = co_await exists(session, call, path);
    throw refusal(job, "DELE", file, there ? Reason::permission : Reason::not_found);
}

Task<Done> make_directory(Session& session, Call& call, const std::string& given) {
    const Job& job = call.job();
    const std::string path = tidy_path(given);
    check_path(job, path, true);
    if (path.empty() || path == "/") co_return Done{};
    std::string line = line_of("MKD", path);
    FtpReply got = co_await session.command(call, std::move(line));
    if (is_positive(got)) co_return Done{};
    bool there = co_await is_directory(session, call, path);
    if (there) co_return Done{};
    // One after the other; those that are there refuse, which the last one shows.
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        line = line_of("MKD", path.substr(0, slash));
        co_await session.command(call, std::move(line));
    }
    line = line_of("MKD", path);
    got = co_await session.command(call, std::move(line));
    if (is_positive(got)) co_return Done{};
    there = co_await is_directory(session, call, path);  // somebody else was faster
    if (there) co_return Done{};
    there = co_await exists(session, call, path);
    throw refusal(job, "MKD", got, there ? Reason::exists : Reason::permission);
}

Task<Done> change(Session& session, Call& call, const std::string& path, const FileAttributes& attributes, Lacking lacking) {
    const Job& job = call.job();
    const bool lenient = lacking == Lacking::is_left_out;
    if ((attributes.uid || attributes.gid) && !lenient)
        throw failure(job, FtpErrc::failed, Reason::unsupported, "FTP cannot change the owner of a file", Phase::none);
    if (attributes.mode) {
        std::array<char, 16> octal{};
        std::snprintf(octal.data(), octal.size(), "%03o", *attributes.mode & 07777U);
        std::string line = "SITE CHMOD " + std::string{octal.data()} + ' ' + path;
        FtpReply got = co_await session.command(call, std::move(line));
        if (!is_positive(got) && !(lenient && is_unknown(got))) throw refusal(job, "SITE CHMOD", got, Reason::permission);
    }
    if (attributes.modified && !(lenient && !session.features().mfmt)) {
        std::string line = "MFMT " + format_time(*attributes.modified) + ' ' + path;
        FtpReply got = co_await session.command(call, std::move(line));
        if (!is_positive(got) && !(lenient && is_unknown(got))) throw refusal(job, "MFMT", got, Reason::permission);
    }
    co_return Done{};
}

Task<Done> set_attributes(Session& session, Call& call, const std::string& path, const FileAttributes& attributes) {
    check_path(call.job(), path);
    co_await change(session, call, path, attributes, Lacking::is_error);
    co_return Done{};
}

Task<Done> make_symlink(Session& session, Call& call, const std::string& target, const std::string& path) {
    check_path(call.job(), path);
    check_path(call.job(), target);
    // Blanks part the two.
    if (target.find(' ') != std::string::npos || path.find(' ') != std::string::npos)
        throw failure(call.job(), FtpErrc::path, Reason::unsupported, "SITE SYMLINK cannot tell blanks in names", Phase::none);
    std::string line = "SITE SYMLINK " + target + ' ' + path;
    FtpReply got = co_await session.command(call, std::move(line));
    if (is_positive(got)) co_return Done{};
    throw refusal(call.job(), "SITE SYMLINK", got, is_unknown(got) ? Reason::unsupported : Reason::permission);
}

Task<FtpReply> command(Session& session, Call& call, const std::string& given) {
    const Job& job = call.job();
    check_path(job, given);
    const std::string verb = text::to_lower(verb_of(given));
    if (std::find(k_own_commands.begin(), k_own_commands.end(), verb) != k_own_commands.end())
        throw failure(job, FtpErrc::failed, Reason::bad_value,
                      text::printable(verb_of(given)) + " is the client's own affair; it has functions for it", Phase::none);
    FtpReply got = co_await session.command(call, given);
    co_return got;
}

}  // namespace qconn::ftp
