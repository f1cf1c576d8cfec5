using System.Collections.Concurrent;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>Lets a call take place at the provider, and holds back its answer; those of its repetitions too, where nobody waits for it any more.</summary>
/// <param name="path">How the call's address ends.</param>
public sealed class HeldAnswer(string path)
{
    /// <summary>How long anything is waited for: longer than a busy machine takes for it.</summary>
    internal static readonly TimeSpan Patience = Eventually.DefaultDeadline;

    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The provider has answered, and nobody knows.</summary>
    public Task Answered => _answered.Task.WaitAsync(Patience);

    public void Release() => _released.TrySetResult();

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        var response = await send(cancellationToken);
        if (request.RequestUri!.AbsolutePath.EndsWith(path, StringComparison.Ordinal))
        {
            _answered.TrySetResult();
            // as an answer does that is under way, it comes even to somebody who has given up waiting
            await _released.Task.WaitAsync(Patience, CancellationToken.None);
        }
        return response;
    }
}

/// <summary>Holds a call back before it reaches the provider, and its repetitions.</summary>
/// <param name="path">How the call's address ends.</param>
public sealed class HeldRequest(string path)
{
    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The call is on its way.</summary>
    public Task Requested => _requested.Task.WaitAsync(HeldAnswer.Patience);

    /// <summary>The call has reached the provider and was answered.</summary>
    public Task Ended => _ended.Task.WaitAsync(HeldAnswer.Patience);

    public void Release() => _released.TrySetResult();

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        if (!request.RequestUri!.AbsolutePath.EndsWith(path, StringComparison.Ordinal))
            return await send(cancellationToken);
        _requested.TrySetResult();
        await _released.Task.WaitAsync(HeldAnswer.Patience, CancellationToken.None);
        // it was on its way already: whoever made it may have given up waiting since
        var response = await send(CancellationToken.None);
        Assert.Equal(System.Net.HttpStatusCode.Conflict, response.StatusCode);
        _ended.TrySetResult();
        return response;
    }
}

/// <summary>Has the provider hang for certain payments: no call for one of them is answered, however often it is made, until they are released.</summary>
public sealed class HangingPayments
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, bool> _payments = [];

    /// <summary>Requests for payments that it hangs for.</summary>
    public List<PaymentRequested> Requests(int count)
    {
        var requests = Enumerable.Range(0, count).Select(i => new PaymentRequested(Guid.CreateVersion7(), Guid.CreateVersion7(), $"shopper-{i}", new(12.50m, "EUR"), "tok_visa")).ToList();
        foreach (var request in requests)
            _payments[request.PaymentId.ToString()] = true;
        return requests;
    }

    public void Release() => _released.TrySetResult();

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        if (_payments.ContainsKey(request.Headers.TryGetValues("Idempotency-Key", out var key) ? key.Single() : ""))
            await _released.Task.WaitAsync(cancellationToken);
        return await send(cancellationToken);
    }
}
