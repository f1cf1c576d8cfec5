namespace Shop.Payments.Tests;

/// <summary>Lets a call take place at the provider, once, and holds back its answer.</summary>
/// <param name="path">How the call's address ends.</param>
public sealed class HeldAnswer(string path)
{
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held;

    /// <summary>The provider has answered, and nobody knows.</summary>
    public Task Answered => _answered.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Release() => _released.TrySetResult();

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        var response = await send(cancellationToken);
        if (request.RequestUri!.AbsolutePath.EndsWith(path, StringComparison.Ordinal) && Interlocked.Increment(ref _held) == 1)
        {
            _answered.TrySetResult();
            // as an answer does that is under way, it comes even to somebody who has given up waiting
            await _released.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        }
        return response;
    }
}

/// <summary>Holds a call back before it reaches the provider, once.</summary>
/// <param name="path">How the call's address ends.</param>
public sealed class HeldRequest(string path)
{
    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held;

    /// <summary>The call is on its way.</summary>
    public Task Requested => _requested.Task.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>The call has reached the provider and was answered.</summary>
    public Task Ended => _ended.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Release() => _released.TrySetResult();

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        if (!request.RequestUri!.AbsolutePath.EndsWith(path, StringComparison.Ordinal) || Interlocked.Increment(ref _held) != 1)
            return await send(cancellationToken);
        _requested.TrySetResult();
        await _released.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        // it was on its way already: whoever made it may have given up waiting since
        var response = await send(CancellationToken.None);
        Assert.Equal(System.Net.HttpStatusCode.Conflict, response.StatusCode);
        _ended.TrySetResult();
        return response;
    }
}
