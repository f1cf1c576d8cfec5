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
internal sealed class SessionStore : ITicketStore, IDisposable
{
    /// <summary>Setting: where sessions are, and the keys that they are protected with; without it a gateway has its own, and they end with it.</summary>
    public const string Directory = "Sessions:KeyDirectory";

    /// <summary>How long a session lasts in which nothing is done.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);

    private const string KeyItem = "session-key";
    private const int KeyBytes = 32;

    private readonly DirectoryInfo _files;
    private readonly bool _ownFiles;
    private readonly IDataProtector _protector;
    private readonly TimeProvider _time;

    public SessionStore(IConfiguration configuration, IDataProtectionProvider protection, TimeProvider time)
    {
        _ownFiles = configuration[Directory] is not { Length: > 0 };
        _files = _ownFiles ? System.IO.Directory.CreateTempSubdirectory("shop-sessions-") : OnlyForOwner(Path.Combine(configuration[Directory]!, "tickets"));
        _protector = protection.CreateProtector("Shop.Sessions");
        _time = time;
    }

    /// <summary>Makes a directory that only its owner may look into.</summary>
    public static DirectoryInfo OnlyForOwner(string directory) => OperatingSystem.IsWindows()
        ? System.IO.Directory.CreateDirectory(directory)
        : System.IO.Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>The key of the session whose properties they are.</summary>
    public static string KeyOf(AuthenticationProperties session) => session.Items[KeyItem]!;

    /// <inheritdoc/>
    public async Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        RemoveExpired();
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
        ticket.Properties.Items[KeyItem] = key;
        await WriteAsync(key, ticket);
        return key;
    }

    /// <inheritdoc/>
    public Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        // what was signed out meanwhile stays so
        return File.Exists(FileOf(key)) ? WriteAsync(key, ticket) : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<AuthenticationTicket?> RetrieveAsync(string key)
    {
        try
        {
            return TicketSerializer.Default.Deserialize(_protector.Unprotect(await File.ReadAllBytesAsync(FileOf(key))));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or CryptographicException)
        {
            return null; // ended, or protected with keys that are gone
        }
    }

    /// <inheritdoc/>
    public Task RemoveAsync(string key)
    {
        File.Delete(FileOf(key));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownFiles)
            _files.Delete(recursive: true);
    }

    /// <summary>Whole or not at all: another request may read it meanwhile.</summary>
    private async Task WriteAsync(string key, AuthenticationTicket ticket)
    {
        var (file, written) = (FileOf(key), Path.Combine(_files.FullName, Path.GetRandomFileName()));
        await File.WriteAllBytesAsync(written, _protector.Protect(TicketSerializer.Default.Serialize(ticket)));
        File.Move(written, file, overwrite: true);
    }

    private void RemoveExpired()
    {
        var before = (_time.GetUtcNow() - Lifetime).UtcDateTime;
        foreach (var file in _files.EnumerateFiles().Where(file => file.LastWriteTimeUtc < before))
            file.Delete();
    }

    /// <summary>Who can list the directory must not learn keys by that.</summary>
    private string FileOf(string key) => Path.Combine(_files.FullName, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
}
