using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;

namespace Shop.Gateway.SigningIn;

/// <summary>
/// Who has signed in, with the tokens of an authority, in a file each; the cookie has nothing but the session's key. What was signed out is no session
/// any more, whoever kept its cookie. The directory is that of the keys, and so all gateways of a shop have the same sessions.
/// </summary>
internal sealed partial class SessionStore : ITicketStore, IDisposable
{
    /// <summary>Setting: where sessions are, and the keys that they are protected with; without it a gateway has its own, and they end with it.</summary>
    public const string Directory = "Sessions:KeyDirectory";

    /// <summary>How long a session lasts in which nothing is done: since its file's time.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);

    private const string KeyItem = "session-key";
    private const int KeyBytes = 32;

    private readonly DirectoryInfo _files;
    private readonly bool _ownFiles;
    private readonly IDataProtector _protector;
    private readonly TimeProvider _time;
    private readonly ILogger<SessionStore> _logger;

    public SessionStore(IConfiguration configuration, IDataProtectionProvider protection, TimeProvider time, ILogger<SessionStore> logger)
    {
        _ownFiles = configuration[Directory] is not { Length: > 0 };
        _files = _ownFiles ? System.IO.Directory.CreateTempSubdirectory("shop-sessions-") : OnlyForOwner(Path.Combine(configuration[Directory]!, "tickets"));
        _protector = protection.CreateProtector("Shop.Sessions");
        (_time, _logger) = (time, logger);
    }

    /// <summary>Makes a directory that only its owner may look into.</summary>
    public static DirectoryInfo OnlyForOwner(string directory) => OperatingSystem.IsWindows()
        ? System.IO.Directory.CreateDirectory(directory)
        : System.IO.Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>The key of the session whose properties they are.</summary>
    public static string KeyOf(AuthenticationProperties session) => session.Items[KeyItem]!;

    /// <inheritdoc/>
    /// <exception cref="SessionsAwayException">It cannot be stored.</exception>
    public Task<string> StoreAsync(AuthenticationTicket ticket) => OnFilesAsync(async () =>
    {
        RemoveExpired();
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
        ticket.Properties.Items[KeyItem] = key;
        File.Move(await WriteAsync(ticket, Now), FileOf(key));
        return key;
    });

    /// <summary>
    /// What is done now is done in this session. Nothing else is written: the cookie handler has the ticket of when the request began, whose tokens may have been refreshed since.
    /// </summary>
    /// <exception cref="InvalidOperationException">The ticket is none of this session's: another's would be opened by every copy of the cookie.</exception>
    public Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        if (ticket.Properties.GetString(KeyItem) != key)
            throw new InvalidOperationException("Who signs in begins a session, and goes on with none.");
        try
        {
            File.SetLastWriteTimeUtc(FileOf(key), Now);
        }
        catch (FileNotFoundException)
        {
            // what was signed out meanwhile stays so
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // no reason not to answer: the next request tries again
            LogNotRenewed(e.Message);
        }
        return Task.CompletedTask;
    }

    /// <summary>Stores refreshed tokens.</summary>
    /// <returns>False where the session has ended meanwhile.</returns>
    /// <exception cref="SessionsAwayException">They cannot be stored.</exception>
    public Task<bool> ReplaceAsync(string key, AuthenticationTicket ticket) => OnFilesAsync(async () =>
    {
        var file = FileOf(key);
        // as old as it was: by its age the cookie handler tells when the cookie is to be renewed
        var written = await WriteAsync(ticket, File.GetLastWriteTimeUtc(file));
        if (!File.Exists(file))
        {
            File.Delete(written);
            return false;
        }
        File.Move(written, file, overwrite: true);
        return true;
    });

    /// <inheritdoc/>
    /// <exception cref="SessionsAwayException">It cannot be read.</exception>
    public Task<AuthenticationTicket?> RetrieveAsync(string key) => OnFilesAsync(async () =>
    {
        try
        {
            var file = FileOf(key);
            if (TicketSerializer.Default.Deserialize(_protector.Unprotect(await File.ReadAllBytesAsync(file))) is not { Properties: var session } ticket)
                return null;
            session.Items[KeyItem] = key;
            session.IssuedUtc = new(File.GetLastWriteTimeUtc(file));
            session.ExpiresUtc = session.IssuedUtc + Lifetime;
            return ticket;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or CryptographicException)
        {
            return null; // ended, or protected with keys that are gone
        }
    });

    /// <inheritdoc/>
    /// <exception cref="SessionsAwayException">It cannot be removed.</exception>
    public Task RemoveAsync(string key) => OnFilesAsync(() =>
    {
        File.Delete(FileOf(key));
        return Task.FromResult(true);
    });

    /// <summary>Whether the session has neither been signed out nor expired.</summary>
    public bool Has(string key)
    {
        try
        {
            // of a file that is gone the time is long ago
            return File.GetLastWriteTimeUtc(FileOf(key)) + Lifetime > Now;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true; // that cannot be told
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownFiles)
            _files.Delete(recursive: true);
    }

    private DateTime Now => _time.GetUtcNow().UtcDateTime;

    /// <summary>Writes a file that is then moved, for the session is there whole or not at all: another request may read it meanwhile.</summary>
    private async Task<string> WriteAsync(AuthenticationTicket ticket, DateTime lastUsed)
    {
        var written = Path.Combine(_files.FullName, Path.GetRandomFileName());
        await File.WriteAllBytesAsync(written, _protector.Protect(TicketSerializer.Default.Serialize(ticket)));
        File.SetLastWriteTimeUtc(written, lastUsed);
        return written;
    }

    private void RemoveExpired()
    {
        var before = Now - Lifetime;
        foreach (var file in _files.EnumerateFiles().Where(file => file.LastWriteTimeUtc < before))
            file.Delete();
    }

    private static async Task<T> OnFilesAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SessionsAwayException(e);
        }
    }

    /// <summary>Who can list the directory must not learn keys by that.</summary>
    private string FileOf(string key) => Path.Combine(_files.FullName, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));

    [LoggerMessage(EventName = "SessionNotRenewed", Level = LogLevel.Warning, Message = "A session's time could not be written: {Reason}")]
    private partial void LogNotRenewed(string reason);
}
