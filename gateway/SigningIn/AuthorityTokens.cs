using System.Globalization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Shop.Gateway.SigningIn;

/// <summary>The authority's tokens of those who have signed in, refreshed as they expire (RFC 6749, section 6).</summary>
internal sealed partial class AuthorityTokens(SessionStore sessions, IOptionsMonitor<OpenIdConnectOptions> options, TimeProvider time, ILogger<AuthorityTokens> logger) : IDisposable
{
    private const string ExpiresAt = "expires_at";

    /// <summary>A token is to reach the service before it expires.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(15);

    // a gateway stores what it was given at once, so that another, whose token was good no more, finds it within a second
    private const int Looks = 5;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    // A refresh token is good once, and pages ask many things at once. Several, so that a session which waits for the authority holds up hardly any other.
    private readonly SemaphoreSlim[] _oneAtATime = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    /// <summary>The token to send to services; null where the authority gives none any more, and the session has ended.</summary>
    public async Task<string?> AccessTokenAsync(AuthenticationProperties session, CancellationToken cancellationToken)
    {
        if (IsFresh(session))
            return AccessToken(session);
        var key = SessionStore.KeyOf(session);
        var turn = _oneAtATime[(uint)key.GetHashCode(StringComparison.Ordinal) % _oneAtATime.Length];
        await turn.WaitAsync(cancellationToken);
        try
        {
            for (var ticket = await sessions.RetrieveAsync(key); ticket is not null; ticket = await RefreshedElsewhereAsync(key, ticket.Properties))
            {
                if (IsFresh(ticket.Properties) || await RefreshAsync(key, ticket, cancellationToken))
                    return AccessToken(ticket.Properties);
            }
            return null;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Has the authority forget the session's refresh token (RFC 7009); that it cannot is no obstacle to signing out.</summary>
    /// <returns>
    /// Where a browser ends its session at the authority too, which then sends it to <paramref name="shop"/> (OpenID Connect RP-Initiated Logout 1.0);
    /// null where the authority names no such place, or cannot be asked.
    /// </returns>
    public async Task<string?> EndAsync(AuthenticationProperties session, string shop, CancellationToken cancellationToken)
    {
        try
        {
            var authority = await ConfigurationAsync(cancellationToken);
            await RevokeAsync(authority, session, cancellationToken);
            return string.IsNullOrEmpty(authority.EndSessionEndpoint) ? null : new OpenIdConnectMessage
            {
                IssuerAddress = authority.EndSessionEndpoint,
                ClientId = Options.ClientId,
                // it says whose session it is, and opens nothing: services take tokens that are for the shop, this one is for the gateway
                IdTokenHint = session.GetTokenValue(OpenIdConnectParameterNames.IdToken),
                PostLogoutRedirectUri = shop,
            }.CreateLogoutRequestUrl();
        }
        // whatever the authority answers
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // the session has ended here, and with it all that the token could be used for
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_oneAtATime, turn => turn.Dispose());

    private bool IsFresh(AuthenticationProperties session) =>
        DateTimeOffset.TryParse(session.GetTokenValue(ExpiresAt), CultureInfo.InvariantCulture, DateTimeStyles.None, out var expiry) && expiry - Margin > time.GetUtcNow();

    private static string? AccessToken(AuthenticationProperties session) => session.GetTokenValue(OpenIdConnectParameterNames.AccessToken);

    private static string? RefreshToken(AuthenticationProperties session) => session.GetTokenValue(OpenIdConnectParameterNames.RefreshToken);

    /// <summary>The session whose token was refused, if another gateway has used that token a moment before; otherwise it has ended, and is removed.</summary>
    private async Task<AuthenticationTicket?> RefreshedElsewhereAsync(string key, AuthenticationProperties refused)
    {
        for (var look = 0; look < Looks; look++)
        {
            await Task.Delay(BetweenLooks, time);
            var stored = await sessions.RetrieveAsync(key);
            if (stored is null || RefreshToken(stored.Properties) != RefreshToken(refused))
                return stored;
        }
        await sessions.RemoveAsync(key);
        return null;
    }

    /// <returns>False where the authority refuses, or the session has ended meanwhile.</returns>
    private async Task<bool> RefreshAsync(string key, AuthenticationTicket ticket, CancellationToken cancellationToken)
    {
        var session = ticket.Properties;
        if (RefreshToken(session) is not { } token)
            return false;
        var authority = await ConfigurationAsync(cancellationToken);
        // From here on whoever asked may have gone: a token that is used and whose successor is not stored would be the session's end.
        using var answer = await PostAsync(authority.TokenEndpoint, new() { ["grant_type"] = OpenIdConnectGrantTypes.RefreshToken, [OpenIdConnectParameterNames.RefreshToken] = token }, CancellationToken.None);
        // that it fails says nothing of the session: it is asked again
        if (answer.StatusCode >= System.Net.HttpStatusCode.InternalServerError || answer.StatusCode == System.Net.HttpStatusCode.TooManyRequests)
            answer.EnsureSuccessStatusCode();
        if (!answer.IsSuccessStatusCode)
        {
            LogRefused(logger, (int)answer.StatusCode);
            return false;
        }
        var tokens = new OpenIdConnectMessage(await answer.Content.ReadAsStringAsync(CancellationToken.None));
        session.UpdateTokenValue(OpenIdConnectParameterNames.AccessToken, tokens.AccessToken);
        if (tokens.RefreshToken is { Length: > 0 } next)
            session.UpdateTokenValue(OpenIdConnectParameterNames.RefreshToken, next);
        var lifetime = int.TryParse(tokens.ExpiresIn, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;
        session.UpdateTokenValue(ExpiresAt, time.GetUtcNow().AddSeconds(lifetime).ToString("o", CultureInfo.InvariantCulture));
        if (await sessions.ReplaceAsync(key, ticket))
            return true;
        // signed out meanwhile, when the token that is no use any more was taken back
        await RevokeAsync(authority, session, CancellationToken.None);
        return false;
    }

    private async Task RevokeAsync(OpenIdConnectConfiguration authority, AuthenticationProperties session, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrEmpty(authority.RevocationEndpoint) && RefreshToken(session) is { } token)
            using (await PostAsync(authority.RevocationEndpoint, new() { ["token"] = token, ["token_type_hint"] = OpenIdConnectParameterNames.RefreshToken }, cancellationToken)) { }
    }

    private Task<OpenIdConnectConfiguration> ConfigurationAsync(CancellationToken cancellationToken) => Options.ConfigurationManager!.GetConfigurationAsync(cancellationToken);

    private OpenIdConnectOptions Options => options.Get(AuthoritySignIn.Scheme);

    private Task<HttpResponseMessage> PostAsync(string endpoint, Dictionary<string, string> form, CancellationToken cancellationToken)
    {
        form[OpenIdConnectParameterNames.ClientId] = Options.ClientId!;
        if (Options.ClientSecret is { Length: > 0 } secret)
            form[OpenIdConnectParameterNames.ClientSecret] = secret;
        return Options.Backchannel.PostAsync(endpoint, new FormUrlEncodedContent(form), cancellationToken);
    }

    [LoggerMessage(EventName = "TokenRefreshRefused", Level = LogLevel.Information, Message = "A session has ended: the authority refreshes its token no more ({Status})")]
    private static partial void LogRefused(ILogger logger, int status);
}
